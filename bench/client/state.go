package main

import (
	"encoding/hex"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
)

// What an Envoy holds, as an immutable value that thousands of Envoys share. What a message makes of it
// and what is then to be said is worked out once for all Envoys that hold the same and hear the same, so
// that a simulated Envoy costs a look-up: the machine's time is to go to the server that is measured.

var seed = maphash.MakeSeed()

func digest(body []byte) string {
	hash := maphash.Bytes(seed, body)
	return hex.EncodeToString([]byte{byte(hash), byte(hash >> 8), byte(hash >> 16), byte(hash >> 24),
		byte(hash >> 32), byte(hash >> 40), byte(hash >> 48), byte(hash >> 56)})
}

// held is what is held of one type, and what is asked for by name.
type held struct {
	asked   bool
	heard   bool
	version string // state-of-the-world's version_info
	items   map[string]resource
	wanted  map[string]bool
	hash    uint64
}

func (h *held) copy() *held {
	next := *h
	next.items, next.wanted = maps.Clone(h.items), maps.Clone(h.wanted)
	return &next
}

func (h *held) put(found resource) {
	if before, there := h.items[found.name]; there {
		h.hash -= before.hash()
		delete(h.items, found.name)
	}
	if found.body != nil {
		h.items[found.name] = found
		h.hash += found.hash()
	}
}

func (r resource) hash() uint64 { return maphash.String(seed, r.name+"\x00"+r.version) }

// complete tells whether everything asked for by name is there.
func (h *held) complete() bool {
	if len(h.items) < len(h.wanted) {
		return false
	}
	for name := range h.wanted {
		if _, there := h.items[name]; !there {
			return false
		}
	}
	return true
}

// state is everything one Envoy holds.
type state struct {
	types [kinds]*held
	ready bool
	greet [][]byte // what it says when it connects with this in hand; made when needed
	once  sync.Once
}

func newState() *state {
	s := &state{}
	for kind := range s.types {
		s.types[kind] = &held{items: map[string]resource{}, wanted: map[string]bool{}}
	}
	s.types[clusters].asked = true
	return s
}

func (s *state) hash() (sum uint64) {
	for kind, h := range s.types {
		sum = sum*31 + h.hash + uint64(kind)
		if h.asked {
			sum++
		}
		sum += uint64(len(h.wanted)) << 32
	}
	return sum
}

// step is what a message makes of a state.
type step struct {
	once  sync.Once
	next  *state
	heard *response
	ack   []byte   // without the nonce
	says  [][]byte // requests besides
}

// after works out what a response makes of a state.
func (s *state) after(heard *response, delta bool) (*state, [][]byte) {
	next := &state{types: s.types, ready: s.ready}
	mine := s.types[heard.kind].copy()
	next.types[heard.kind] = mine
	mine.version, mine.heard = string(heard.version), true
	if !delta && (heard.kind == clusters || heard.kind == listeners || heard.kind == scopes) {
		mine.items, mine.hash = map[string]resource{}, 0
	}
	for _, found := range heard.resources {
		mine.put(found)
	}
	var says [][]byte
	ask := func(kind int, added, removed []string) {
		says = append(says, next.request(kind, added, removed, delta))
	}
	switch heard.kind {
	case clusters:
		added, removed := next.want(endpoints, needs(mine))
		if len(added)+len(removed) > 0 {
			ask(endpoints, added, removed)
		}
	case listeners:
		added, removed := next.want(routes, needs(mine))
		if len(added)+len(removed) > 0 {
			ask(routes, added, removed)
		}
		if anyScoped(mine) && !next.types[scopes].asked {
			next.begin(scopes)
			ask(scopes, nil, nil)
		}
	case scopes:
		added, removed := next.want(routes, needs(mine))
		if len(added)+len(removed) > 0 {
			ask(routes, added, removed)
		}
	}
	// Envoy asks for listeners once its clusters have their endpoints.
	if !next.types[listeners].asked && next.types[clusters].heard && next.types[endpoints].complete() {
		next.begin(listeners)
		ask(listeners, nil, nil)
	}
	if !next.ready {
		next.ready = len(next.types[listeners].items) > 0 && next.types[endpoints].complete() &&
			next.types[routes].complete() &&
			(!next.types[scopes].asked || len(next.types[scopes].items) > 0)
	}
	return next, says
}

func (s *state) begin(kind int) {
	s.types[kind] = s.types[kind].copy()
	s.types[kind].asked = true
}

// want changes the names asked for; returns what is new and what is not wanted any more.
func (s *state) want(kind int, names map[string]bool) (added, removed []string) {
	before := s.types[kind]
	for name := range names {
		if !before.wanted[name] {
			added = append(added, name)
		}
	}
	for name := range before.wanted {
		if !names[name] {
			removed = append(removed, name)
		}
	}
	if len(added)+len(removed) == 0 {
		return nil, nil
	}
	after := before.copy()
	after.asked = true
	after.wanted = names
	for _, name := range removed {
		after.put(resource{name: name})
	}
	s.types[kind] = after
	slices.Sort(added)
	slices.Sort(removed)
	return added, removed
}

func needs(h *held) map[string]bool {
	names := map[string]bool{}
	for _, item := range h.items {
		for _, name := range item.needs {
			names[name] = true
		}
	}
	return names
}

func anyScoped(h *held) bool {
	for _, item := range h.items {
		if item.scoped {
			return true
		}
	}
	return false
}

// request is what an Envoy says when it subscribes: delta tells the difference, state-of-the-world all names.
func (s *state) request(kind int, added, removed []string, delta bool) []byte {
	if !delta {
		return s.whole(kind)
	}
	raw := appendString(nil, 2, typeURLs[kind])
	for _, name := range added {
		raw = appendString(raw, 3, name)
	}
	for _, name := range removed {
		raw = appendString(raw, 4, name)
	}
	return raw
}

// whole is a state-of-the-world request without its nonce; it is also the acknowledgement.
func (s *state) whole(kind int) []byte {
	h := s.types[kind]
	raw := appendString(nil, 4, typeURLs[kind])
	if h.version != "" {
		raw = appendString(raw, 1, h.version)
	}
	for _, name := range slices.Sorted(maps.Keys(h.wanted)) {
		raw = appendString(raw, 3, name)
	}
	return raw
}

// greeting is what an Envoy says on a new stream: every subscription, with what it holds.
func (s *state) greeting(delta bool) [][]byte {
	s.once.Do(func() {
		for _, kind := range []int{clusters, endpoints, listeners, scopes, routes} {
			h := s.types[kind]
			if !h.asked {
				continue
			}
			if !delta {
				s.greet = append(s.greet, s.whole(kind))
				continue
			}
			raw := appendString(nil, 2, typeURLs[kind])
			for name := range h.wanted {
				raw = appendString(raw, 3, name)
			}
			for name, item := range h.items {
				raw = appendBytes(raw, 5, appendString(appendString(nil, 1, name), 2, item.version))
			}
			s.greet = append(s.greet, raw)
		}
	})
	return s.greet
}

// memory keeps the steps that were worked out lately.
type memory struct {
	mutex sync.RWMutex
	steps map[[2]uint64]*step
}

const remembered = 64

func (m *memory) step(from *state, message []byte, delta bool) *step {
	key := [2]uint64{from.hash(), maphash.Bytes(seed, message)}
	m.mutex.RLock()
	found := m.steps[key]
	m.mutex.RUnlock()
	if found == nil {
		m.mutex.Lock()
		if found = m.steps[key]; found == nil {
			if len(m.steps) >= remembered {
				clear(m.steps)
			}
			found = &step{}
			m.steps[key] = found
		}
		m.mutex.Unlock()
	}
	found.once.Do(func() {
		found.heard = readResponse(slices.Clone(message), delta)
		if found.heard.kind < 0 {
			return
		}
		found.next, found.says = from.after(found.heard, delta)
		if found.ack = found.next.whole(found.heard.kind); delta {
			found.ack = appendString(nil, 2, typeURLs[found.heard.kind])
		}
	})
	return found
}
