// go-control-plane's snapshot cache with our deployments. It begins with what our server was recorded to
// say to an Envoy, in one of two layouts, and changes a version's share or place when it is told to.
//
// It is treated well: all Envoys share one snapshot, only the type that changed gets a new version, and
// unchanged messages are shared between snapshots.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

type command struct {
	Do         string `json:"do"`
	Listen     string `json:"listen"`
	Path       string `json:"path"`
	Layout     string `json:"layout"` // ours, usual
	Dialect    string `json:"dialect"`
	Deployment int    `json:"deployment"`
	Value      uint32 `json:"value"`
}

// group puts all Envoys of a cluster on one snapshot.
type group struct{}

func (group) ID(node *core.Node) string { return node.GetCluster() }

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	if !lines.Scan() {
		return
	}
	var begin command
	check(json.Unmarshal(lines.Bytes(), &begin))
	world := load(begin.Path, begin.Dialect == "delta", begin.Layout == "usual")
	snapshots := cache.NewSnapshotCache(true, group{}, nil)
	ctx := context.Background()
	publish := func() { check(snapshots.SetSnapshot(ctx, "default", world.snapshot())) }
	publish()

	listener, err := net.Listen("tcp", begin.Listen)
	check(err)
	served := grpc.NewServer(
		grpc.MaxConcurrentStreams(1_000_000),
		grpc.MaxRecvMsgSize(64<<20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	discovery.RegisterAggregatedDiscoveryServiceServer(served, server.NewServer(ctx, snapshots, nil))
	go func() { check(served.Serve(listener)) }()
	debug.FreeOSMemory()
	check(out.Encode(map[string]string{"address": listener.Addr().String()}))
	for lines.Scan() {
		var asked command
		check(json.Unmarshal(lines.Bytes(), &asked))
		switch asked.Do {
		case "share":
			world.share(asked.Deployment, asked.Value)
			publish()
		case "place":
			world.place(asked.Deployment, asked.Value)
			publish()
		}
		check(out.Encode(map[string]int{"version": world.version}))
	}
}

// slots of the cache that we fill, in the order of its own enumeration.
var filled = []types.ResponseType{types.Cluster, types.Endpoint, types.Listener, types.ScopedRoute, types.Route}

func (w *world) snapshot() *cache.Snapshot {
	next := &cache.Snapshot{Resources: w.last.Resources}
	for _, kind := range filled {
		if w.dirty[kind] {
			next.Resources[kind] = cache.NewResources(fmt.Sprint(w.version), w.list(kind))
		}
	}
	w.dirty = map[types.ResponseType]bool{}
	w.last = next
	return next
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
