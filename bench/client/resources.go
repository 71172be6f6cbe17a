package main

import (
	"bytes"
	"strconv"
	"strings"
)

// What an Envoy reads in its resources, as far as it decides what it asks for next; and the marks by
// which a change is recognised: the share of version `a` of a deployment, and the first port of it.

const prefix = "type.googleapis.com/envoy.config."

const (
	clusters = iota
	endpoints
	listeners
	scopes
	routes
	kinds
)

var typeURLs = [kinds]string{
	prefix + "cluster.v3.Cluster",
	prefix + "endpoint.v3.ClusterLoadAssignment",
	prefix + "listener.v3.Listener",
	prefix + "route.v3.ScopedRouteConfiguration",
	prefix + "route.v3.RouteConfiguration",
}

func kindOf(url []byte) int {
	for kind, known := range typeURLs {
		if known == string(url) {
			return kind
		}
	}
	return -1
}

// resource is one as it was sent.
type resource struct {
	name, version string
	body          []byte // nil: gone
	needs         []string
	scoped        bool // a listener that takes its routes by scope
}

// mark says that a resource shows a deployment at a value.
type mark struct{ deployment, value int32 }

// present stands for a body that was read.
var present = []byte{}

// response is a DiscoveryResponse of either dialect; it is read once for all the streams that get it.
type response struct {
	kind      int
	version   []byte
	nonce     []byte
	resources []resource
	marks     map[int32]int32
	highest   mark
}

// envelope reads what differs from stream to stream.
func envelope(message []byte) (kind int, nonce []byte) {
	kind = -1
	each(message, func(f field) {
		switch f.number {
		case 4:
			kind = kindOf(f.bytes)
		case 5:
			nonce = f.bytes
		}
	})
	return kind, nonce
}

func readResponse(message []byte, delta bool) *response {
	r := &response{marks: map[int32]int32{}}
	r.kind, r.nonce = envelope(message)
	each(message, func(f field) {
		switch {
		case f.number == 1:
			r.version = f.bytes
		case f.number == 2 && delta:
			r.add(resource{name: string(at(f.bytes, 3)), version: string(at(f.bytes, 1)), body: at(f.bytes, 2, 2)})
		case f.number == 2:
			body := at(f.bytes, 2)
			r.add(resource{name: string(at(body, 1)), version: digest(body), body: body})
		case f.number == 6 && delta:
			r.resources = append(r.resources, resource{name: string(f.bytes)})
		}
	})
	return r
}

func (r *response) add(found resource) {
	if found.body == nil {
		found.body = present
	}
	switch r.kind {
	case clusters:
		if number(found.body, 2) == 3 { // EDS
			needed := string(at(found.body, 3, 2))
			if needed == "" {
				needed = found.name
			}
			found.needs = []string{needed}
		}
	case listeners:
		found.readListener()
	case endpoints:
		r.marked(found.name, int32(number(at(found.body, 2, 2, 1, 1, 1), 3)))
	case scopes:
		if inline := at(found.body, 5); inline != nil {
			r.readRoutes(inline)
		} else if name := at(found.body, 2); name != nil {
			found.needs = []string{string(name)}
		}
	case routes:
		r.readRoutes(found.body)
	}
	found.body = present // read: only its version is kept
	r.resources = append(r.resources, found)
}

func (l *resource) readListener() {
	filters := func(chain []byte) {
		each(chain, func(f field) {
			if manager := at(f.bytes, 4, 2); f.number == 3 && manager != nil {
				if name := at(manager, 3, 2); name != nil {
					l.needs = append(l.needs, string(name))
				}
				l.scoped = l.scoped || at(manager, 31) != nil
			}
		})
	}
	each(l.body, func(f field) {
		if f.number == 3 || f.number == 25 {
			filters(f.bytes)
		}
	})
}

// readRoutes marks every host of a RouteConfiguration with the share of its version `a`.
func (r *response) readRoutes(table []byte) {
	each(table, func(host field) {
		if host.number != 2 {
			return
		}
		each(host.bytes, func(route field) {
			weighted := at(route.bytes, 2, 3)
			if route.number != 3 || weighted == nil {
				return
			}
			share, owner := int32(0), ""
			each(weighted, func(entry field) {
				if name := at(entry.bytes, 1); entry.number == 1 && bytes.HasSuffix(name, []byte("_a")) {
					owner = string(name)
					share += int32(number(at(entry.bytes, 2), 1))
				}
			})
			r.marked(owner, share)
		})
	})
}

// marked notes a value of the deployment that owns a cluster called `d00042_a`.
func (r *response) marked(cluster string, value int32) {
	name, isA := strings.CutSuffix(cluster, "_a")
	deployment, err := strconv.Atoi(strings.TrimPrefix(name, "d"))
	if !isA || err != nil {
		return
	}
	found := mark{int32(deployment), value}
	if _, known := r.marks[found.deployment]; known {
		return // the first route with a split is the one
	}
	r.marks[found.deployment] = found.value
	if found.value > r.highest.value || found.value == r.highest.value && found.deployment > r.highest.deployment {
		r.highest = found
	}
}
