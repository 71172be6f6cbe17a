package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	manager "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
)

// place of a virtual host: in which table, and where in it.
type place struct {
	table string
	at    int
}

// world is the configuration as a user of go-control-plane would keep it: messages by type.
type world struct {
	version int
	last    *cache.Snapshot
	dirty   map[types.ResponseType]bool
	items   map[types.ResponseType]map[string]types.Resource
	hosts   map[string]place
}

// load reads a recording: what one Envoy was sent when it connected.
func load(path string, delta, usual bool) *world {
	raw, err := os.ReadFile(path)
	check(err)
	w := &world{
		version: 1, last: &cache.Snapshot{}, dirty: map[types.ResponseType]bool{},
		items: map[types.ResponseType]map[string]types.Resource{}, hosts: map[string]place{},
	}
	for _, kind := range filled {
		w.items[kind] = map[string]types.Resource{}
		w.dirty[kind] = true
	}
	for len(raw) > 0 {
		size := int(binary.LittleEndian.Uint32(raw[8:]))
		message := raw[12 : 12+size]
		raw = raw[12+size:]
		if delta {
			var answer discovery.DeltaDiscoveryResponse
			check(proto.Unmarshal(message, &answer))
			for _, item := range answer.Resources {
				w.take(item.Resource)
			}
		} else {
			var answer discovery.DiscoveryResponse
			check(proto.Unmarshal(message, &answer))
			for _, item := range answer.Resources {
				w.take(item)
			}
		}
	}
	if usual {
		w.simplify()
	}
	for kind, tables := range w.items {
		for name, item := range tables {
			table, _ := item.(*route.RouteConfiguration)
			if kind == types.ScopedRoute {
				table = item.(*route.ScopedRouteConfiguration).RouteConfiguration
			}
			for at, host := range table.GetVirtualHosts() {
				w.hosts[host.Name] = place{name, at}
			}
		}
	}
	return w
}

func (w *world) take(item *anypb.Any) {
	message, err := item.UnmarshalNew()
	check(err)
	switch found := message.(type) {
	case *cluster.Cluster:
		w.items[types.Cluster][found.Name] = found
	case *endpoint.ClusterLoadAssignment:
		w.items[types.Endpoint][found.ClusterName] = found
	case *listener.Listener:
		w.items[types.Listener][found.Name] = found
	case *route.RouteConfiguration:
		w.items[types.Route][found.Name] = found
	case *route.ScopedRouteConfiguration:
		w.items[types.ScopedRoute][found.Name] = found
	}
}

// simplify makes of our layout what people usually write: one RouteConfiguration, and a host's split as
// one entry a version.
func (w *world) simplify() {
	whole := &route.RouteConfiguration{Name: "default"}
	for _, kind := range []types.ResponseType{types.Route, types.ScopedRoute} {
		for name, item := range w.items[kind] {
			table, _ := item.(*route.RouteConfiguration)
			if scope, scoped := item.(*route.ScopedRouteConfiguration); scoped {
				table = scope.RouteConfiguration
			}
			whole.VirtualHosts = append(whole.VirtualHosts, table.GetVirtualHosts()...)
			delete(w.items[kind], name)
		}
	}
	w.items[types.Route][whole.Name] = whole
	for _, host := range whole.VirtualHosts {
		for _, each := range host.Routes {
			merge(each.GetRoute().GetWeightedClusters())
		}
	}
	for _, item := range w.items[types.Listener] {
		for _, chain := range item.(*listener.Listener).FilterChains {
			byName(chain, whole.Name)
		}
	}
}

func merge(split *route.WeightedCluster) {
	if split == nil {
		return
	}
	var merged []*route.WeightedCluster_ClusterWeight
	known := map[string]*route.WeightedCluster_ClusterWeight{}
	for _, entry := range split.Clusters {
		if first := known[entry.Name]; first != nil {
			first.Weight.Value += entry.Weight.GetValue()
			continue
		}
		known[entry.Name] = entry
		merged = append(merged, entry)
	}
	split.Clusters = merged
}

// byName lets a listener take its routes from one table.
func byName(chain *listener.FilterChain, table string) {
	for _, filter := range chain.Filters {
		var settings manager.HttpConnectionManager
		if filter.GetTypedConfig() == nil || filter.GetTypedConfig().UnmarshalTo(&settings) != nil {
			continue
		}
		ads := &core.ConfigSource{
			ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
			ResourceApiVersion:    core.ApiVersion_V3,
		}
		settings.RouteSpecifier = &manager.HttpConnectionManager_Rds{
			Rds: &manager.Rds{ConfigSource: ads, RouteConfigName: table},
		}
		packed, err := anypb.New(&settings)
		check(err)
		filter.ConfigType = &listener.Filter_TypedConfig{TypedConfig: packed}
	}
}

func (w *world) list(kind types.ResponseType) []types.Resource {
	var all []types.Resource
	for _, item := range w.items[kind] {
		all = append(all, item)
	}
	return all
}

// share gives version `a` of a deployment this many slots, taken from or given to `main`.
func (w *world) share(deployment int, slots uint32) {
	name := fmt.Sprintf("d%05d", deployment)
	where := w.hosts[name]
	kind := types.Route
	before, _ := w.items[kind][where.table].(*route.RouteConfiguration)
	var scope *route.ScopedRouteConfiguration
	if before == nil {
		kind = types.ScopedRoute
		scope = w.items[kind][where.table].(*route.ScopedRouteConfiguration)
		before = scope.RouteConfiguration
	}
	hosts := append([]*route.VirtualHost(nil), before.VirtualHosts...)
	hosts[where.at] = proto.Clone(hosts[where.at]).(*route.VirtualHost)
	for _, each := range hosts[where.at].Routes {
		shift(each.GetRoute().GetWeightedClusters(), slots)
	}
	after := &route.RouteConfiguration{
		Name: before.Name, VirtualHosts: hosts,
		IgnorePortInHostMatching: before.IgnorePortInHostMatching,
		ValidateClusters:         before.ValidateClusters,
	}
	w.items[kind][where.table] = after
	if scope != nil {
		w.items[kind][where.table] = &route.ScopedRouteConfiguration{
			Name: scope.Name, Key: scope.Key, OnDemand: scope.OnDemand, RouteConfiguration: after,
		}
	}
	w.changed(kind)
}

func shift(split *route.WeightedCluster, slots uint32) {
	var had uint32
	var last, main *route.WeightedCluster_ClusterWeight
	for _, entry := range split.GetClusters() {
		switch {
		case strings.HasSuffix(entry.Name, "_a"):
			had += entry.Weight.GetValue()
			last = entry
		case strings.HasSuffix(entry.Name, "_main") && entry.Weight.GetValue() > main.GetWeight().GetValue():
			main = entry
		}
	}
	if last == nil || main == nil {
		return
	}
	last.Weight.Value += slots - had // unsigned, and so is the next line: the sum stays
	main.Weight.Value -= slots - had
}

// place puts version `a` of a deployment at this port.
func (w *world) place(deployment int, port uint32) {
	name := fmt.Sprintf("d%05d_a", deployment)
	after := proto.Clone(w.items[types.Endpoint][name]).(*endpoint.ClusterLoadAssignment)
	address := after.Endpoints[0].LbEndpoints[0].GetEndpoint().Address.GetSocketAddress()
	address.PortSpecifier = &core.SocketAddress_PortValue{PortValue: port}
	w.items[types.Endpoint][name] = after
	w.changed(types.Endpoint)
}

func (w *world) changed(kind types.ResponseType) {
	w.version++
	w.dirty[kind] = true
}
