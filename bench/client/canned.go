package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
)

// The canned sender: recorded messages as frames made beforehand, written to every connection without a
// look at what comes back. No server can be faster, so what the Envoys take from it is what they can take.

type sender struct {
	mutex   sync.Mutex
	conns   map[*receiver]bool
	answers []byte   // frames for a new stream
	pushes  [][]byte // frames to be pushed
}

// receiver is a connection; its mutex keeps messages whole.
type receiver struct {
	mutex  sync.Mutex
	socket net.Conn
}

func (r *receiver) write(frames []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.socket.Write(frames) // a connection that ended is taken out by who reads it
}

func serveCanned(lines *bufio.Scanner, out *json.Encoder) {
	s := &sender{conns: map[*receiver]bool{}}
	for lines.Scan() {
		var asked command
		err := json.Unmarshal(lines.Bytes(), &asked)
		said := answer{}
		if err == nil {
			switch asked.Do {
			case "begin":
				var listener net.Listener
				if s.answers, err = joined(framed(asked.Path)); err == nil {
					if listener, err = net.Listen("tcp", asked.Listen); err == nil {
						said["address"] = listener.Addr().String()
						go s.accept(listener)
					}
				}
			case "answers":
				s.answers, err = joined(framed(asked.Path))
			case "load":
				s.pushes, err = framed(asked.Path)
			case "push":
				s.push()
			}
		}
		if err != nil {
			said = answer{"error": err.Error()}
		}
		out.Encode(said)
	}
}

func (s *sender) accept(listener net.Listener) {
	for {
		socket, err := listener.Accept()
		if err != nil {
			return
		}
		go s.serve(&receiver{socket: socket})
	}
}

func (s *sender) serve(r *receiver) {
	greeting := &conn{}
	setting := binary.BigEndian.AppendUint32([]byte{0, settingInitialWindow}, wide)
	greeting.frame(frameSettings, 0, 0, setting)
	greeting.frame(frameWindow, 0, 0, binary.BigEndian.AppendUint32(nil, wide))
	greeting.frame(frameHeaders, flagEndHeaders, streamID, append([]byte{0x88, 0x0f, 0x10, 16}, "application/grpc"...))
	s.mutex.Lock()
	answers := s.answers
	s.conns[r] = true
	s.mutex.Unlock()
	r.write(greeting.out)
	r.write(answers)
	io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.socket}, make([]byte, 4096))
	s.mutex.Lock()
	delete(s.conns, r)
	s.mutex.Unlock()
	r.socket.Close()
}

func (s *sender) push() {
	todo := make(chan *receiver)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Add(1)
		go func() {
			defer done.Done()
			for r := range todo {
				for _, each := range s.pushes {
					r.write(each)
				}
			}
		}()
	}
	s.mutex.Lock()
	all := make([]*receiver, 0, len(s.conns))
	for r := range s.conns {
		all = append(all, r)
	}
	s.mutex.Unlock()
	for _, r := range all {
		todo <- r
	}
	close(todo)
	done.Wait()
}

// framed reads a recording and puts each message into DATA frames.
func framed(path string) (messages [][]byte, err error) {
	raw, err := os.ReadFile(path)
	for len(raw) > 0 {
		size := int(binary.LittleEndian.Uint32(raw[8:]))
		whole := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(size)), raw[12:12+size]...)
		raw = raw[12+size:]
		made := &conn{}
		for len(whole) > 0 {
			take := min(len(whole), 16384)
			made.frame(frameData, 0, streamID, whole[:take])
			whole = whole[take:]
		}
		messages = append(messages, made.out)
	}
	return messages, err
}

func joined(parts [][]byte, err error) (all []byte, _ error) {
	for _, each := range parts {
		all = append(all, each...)
	}
	return all, err
}
