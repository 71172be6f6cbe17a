package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// goal is a change that is waited for: a deployment at a value, in routes or in endpoints.
type goal struct {
	deployment, value int32
	endpoints         bool
}

// fleet is N simulated Envoys on one server.
type fleet struct {
	address    string
	delta      bool
	narrowLast bool   // the last Envoy gives the server little room, so that it can be stuck
	abreast    int    // how many connect at a time; the next waits until one has everything. 0: all
	common     []byte // of all nodes
	envoys     []*envoy
	memory     memory
	recorder   recorder

	goal     atomic.Pointer[goal]
	news     chan struct{}
	mutex    sync.Mutex
	failures []string

	following atomic.Bool
	first     mark // the first change's deployments and value
	inRoutes  bool
}

func newFleet(count int, address, gateway string, delta bool, nodeSize int) *fleet {
	f := &fleet{address: address, delta: delta, common: commonNode(gateway, nodeSize), news: make(chan struct{}, 1)}
	f.memory.steps = map[[2]uint64]*step{}
	begin := newState()
	for id := range count {
		e := &envoy{fleet: f, id: id}
		e.holds.Store(begin)
		e.freed.L = &sync.Mutex{}
		f.envoys = append(f.envoys, e)
	}
	return f
}

// connect lets all Envoys connect at once; it returns when each has sent what it says first.
func (f *fleet) connect(patience time.Duration) {
	deadline := time.Now().Add(patience)
	var done sync.WaitGroup
	room := 512 // under the kernel's limit of connections nobody accepted yet
	if f.abreast > 0 {
		room = f.abreast
	}
	gate := make(chan struct{}, room)
	for _, e := range f.envoys {
		done.Add(1)
		gate <- struct{}{}
		go func() {
			defer done.Done()
			if err := e.connect(deadline); err != nil {
				f.lost(e, err)
			}
			for f.abreast > 0 && e.readied.Load() == 0 && !e.gone.Load() {
				time.Sleep(time.Millisecond)
			}
			<-gate
		}()
	}
	done.Wait()
}

func (f *fleet) disconnect() {
	var done sync.WaitGroup
	for _, e := range f.envoys {
		done.Add(1)
		go func() {
			defer done.Done()
			e.disconnect()
		}()
	}
	done.Wait()
}

// node is the field `node` of a first request, as big as a real Envoy's.
func (f *fleet) node(id int) (head, body []byte) {
	own := appendString(nil, 1, fmt.Sprintf("envoy-%05d", id))
	number := 2
	if f.delta {
		number = 1
	}
	head = appendVarint(appendVarint(nil, uint64(number)<<3|2), uint64(len(own)+len(f.common)))
	return append(head, own...), f.common
}

// commonNode is what all nodes have in common: mostly the list of extensions.
func commonNode(gateway string, size int) []byte {
	node := appendString(nil, 2, gateway)
	node = appendString(node, 6, "envoy")
	version := appendVarint(appendVarint(nil, 1<<3), 1)
	version = appendVarint(appendVarint(version, 2<<3), 40)
	node = appendBytes(node, 8, appendBytes(nil, 1, version))
	for i := 0; len(node) < size; i++ {
		extension := appendString(nil, 1, fmt.Sprintf("envoy.filters.http.extension_%d", i))
		extension = appendString(extension, 2, "envoy.filters.http")
		extension = appendString(extension, 6, fmt.Sprintf("envoy.extensions.filters.http.extension_%d.v3.Config", i))
		node = appendBytes(node, 9, extension)
	}
	return node
}

func (f *fleet) lost(e *envoy, err error) {
	e.gone.Store(true)
	f.mutex.Lock()
	f.failures = append(f.failures, fmt.Sprintf("envoy %d: %v", e.id, err))
	f.mutex.Unlock()
	f.progress()
}

func (f *fleet) record(at int64, message []byte) { f.recorder.write(at, message) }

// reached notes what an answer brought an Envoy.
func (f *fleet) reached(e *envoy, heard *response, now int64) {
	if wanted := f.goal.Load(); wanted != nil && wanted.endpoints == (heard.kind == endpoints) {
		if value, there := heard.marks[wanted.deployment]; there && value == wanted.value {
			e.met.CompareAndSwap(0, now)
		}
	}
	if f.following.Load() && f.inRoutes != (heard.kind == endpoints) {
		if seen := heard.highest; seen.value >= f.first.value {
			change := int64(seen.value-f.first.value)*int64(f.first.deployment) + int64(seen.deployment)
			e.arrivals = append(e.arrivals, arrival{now, change})
		}
	}
}

// progress wakes whoever waits.
func (f *fleet) progress() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// wait returns the times at which something became true for each Envoy, sorted, once it has for all that are
// connected but `without`, or when time is over.
func (f *fleet) wait(of func(*envoy) int64, without int, patience time.Duration) []int64 {
	over := time.After(patience)
	pending := slices.Clone(f.envoys)
	for {
		pending = slices.DeleteFunc(pending, func(e *envoy) bool { return of(e) != 0 || e.gone.Load() })
		if len(pending) <= without {
			break
		}
		select {
		case <-f.news:
			time.Sleep(500 * time.Microsecond) // the next look is worth more then
			continue
		case <-over:
		}
		break
	}
	var times []int64
	for _, e := range f.envoys {
		if at := of(e); at != 0 {
			times = append(times, at)
		}
	}
	slices.Sort(times)
	return times
}

func (f *fleet) forget() {
	for _, e := range f.envoys {
		e.answered.Store(0)
		e.readied.Store(0)
		e.met.Store(0)
	}
}

// lags tells how long after each change the Envoys had it; starts are the times of the changes. They are
// told in slices of the time, so that a median over them can be had.
func (f *fleet) lags(starts []int64, slicing int) (lags [][]int64, missed int) {
	lags = make([][]int64, max(1, slicing))
	for _, e := range f.envoys {
		next := 0
		for _, seen := range e.arrivals {
			for ; int64(next) <= seen.change && next < len(starts); next++ {
				slice := next * len(lags) / len(starts)
				lags[slice] = append(lags[slice], seen.at-starts[next])
			}
		}
		missed += len(starts) - next
	}
	for _, each := range lags {
		slices.Sort(each)
	}
	return lags, missed
}
