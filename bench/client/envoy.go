package main

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"

// envoy is one simulated Envoy: what it holds outlives its connections.
type envoy struct {
	fleet    *fleet
	id       int
	holds    atomic.Pointer[state]
	socket   net.Conn
	closing  atomic.Bool
	gone     atomic.Bool // the connection was lost: nothing more will come
	stuck    atomic.Bool
	freed    sync.Cond
	finished chan struct{}

	answered, readied, met atomic.Int64 // when, in ns of the wall clock: first message, all there, goal met
	messages               atomic.Int64
	bytesIn, bytesOut      atomic.Int64
	arrivals               []arrival
}

// arrival says that from a time on an Envoy has every change up to a number.
type arrival struct{ at, change int64 }

func (e *envoy) connect(deadline time.Time) error {
	var socket net.Conn
	var err error
	for {
		socket, err = net.DialTimeout("tcp", e.fleet.address, 30*time.Second)
		if err == nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	method := "StreamAggregatedResources"
	if e.fleet.delta {
		method = "DeltaAggregatedResources"
	}
	e.socket = socket
	e.closing.Store(false)
	e.gone.Store(false)
	e.finished = make(chan struct{})
	window := wide
	if e.fleet.narrowLast && e.id == len(e.fleet.envoys)-1 {
		window = narrow
	}
	c := newConn(socket, service+method, e.fleet.address, window)
	c.bytesIn, c.bytesOut = e.bytesIn.Load(), e.bytesOut.Load()
	c.delivered = func(message []byte) { e.hear(c, message) }
	for i, request := range e.holds.Load().greeting(e.fleet.delta) {
		if i == 0 { // the node goes with a stream's first request only
			own, common := e.fleet.node(e.id)
			c.send(request, own, common)
		} else {
			c.send(request)
		}
	}
	err = c.flush()
	go e.listen(c, err)
	return err
}

func (e *envoy) listen(c *conn, err error) {
	defer close(e.finished)
	for err == nil {
		err = c.step()
		e.bytesIn.Store(c.bytesIn)
		e.bytesOut.Store(c.bytesOut)
		if e.stuck.Load() {
			e.freed.L.Lock()
			for e.stuck.Load() && !e.closing.Load() {
				e.freed.Wait()
			}
			e.freed.L.Unlock()
		}
	}
	e.socket.Close()
	if !e.closing.Load() {
		e.fleet.lost(e, err)
	}
}

func (e *envoy) hear(c *conn, message []byte) {
	now := time.Now().UnixNano()
	e.messages.Add(1)
	e.answered.CompareAndSwap(0, now)
	if e.id == 0 {
		e.fleet.record(now, message)
	}
	step := e.fleet.memory.step(e.holds.Load(), message, e.fleet.delta)
	if step.next == nil {
		e.fleet.lost(e, errors.New("an answer of a type that was not asked for"))
		return
	}
	e.holds.Store(step.next)
	_, nonce := envelope(message)
	nonceField := 6
	if !e.fleet.delta {
		nonceField = 5
	}
	c.send(step.ack, appendBytes(nil, nonceField, nonce))
	for _, request := range step.says {
		c.send(request)
	}
	if step.next.ready {
		e.readied.CompareAndSwap(0, now)
	}
	e.fleet.reached(e, step.heard, now)
	e.fleet.progress()
}

func (e *envoy) stick(on bool) {
	e.freed.L.Lock()
	e.stuck.Store(on)
	e.freed.L.Unlock()
	e.freed.Broadcast()
}

func (e *envoy) disconnect() {
	if e.socket == nil {
		return
	}
	e.closing.Store(true)
	e.freed.Broadcast()
	e.socket.Close()
	<-e.finished
	e.socket = nil
}

// recorder keeps what one Envoy was sent: time in ns, size, bytes.
type recorder struct {
	mutex sync.Mutex
	file  *os.File
}

func (r *recorder) write(at int64, message []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.file != nil {
		head := binary.LittleEndian.AppendUint64(nil, uint64(at))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(message)))
		r.file.Write(head)
		r.file.Write(message)
	}
}

func (r *recorder) to(path string) (err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.file != nil {
		err = r.file.Close()
		r.file = nil
	}
	if path != "" {
		r.file, err = os.Create(path)
	}
	return err
}
