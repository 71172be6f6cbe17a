package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
)

// One gRPC stream on a connection of its own: HTTP/2 written out, because a general client would cost
// more than the servers it is to measure. One goroutine reads, and writes whatever the reading calls for.

const (
	frameData, frameHeaders, frameReset, frameSettings        = 0, 1, 3, 4
	framePing, frameGoAway, frameWindow                       = 6, 7, 8
	flagAck, flagEndStream, flagEndHeaders, flagPadded        = 1, 1, 4, 8
	settingInitialWindow, settingMaxFrame                     = 4, 5
	wide, narrow                                              = 256 << 20, 65535 // Envoy's window, HTTP/2's own
	streamID                                           uint32 = 1
)

type conn struct {
	socket    net.Conn
	reader    *bufio.Reader
	window    int    // bytes that the server may send before we give it more
	out       []byte // frames to be written at the next flush
	waiting   []byte // messages that the server's window has no room for yet
	maxFrame  int
	room      int64 // of the connection, for what we send
	ours      int64 // of the stream
	initial   int64
	unstated  int64  // bytes taken in and not yet given back to the server's window
	message   []byte // the message being put together, with its five bytes in front
	bytesIn   int64
	bytesOut  int64
	delivered func(message []byte)
}

func newConn(socket net.Conn, path, authority string, window int) *conn {
	c := &conn{
		socket: socket, reader: bufio.NewReaderSize(socket, 4096), window: window,
		maxFrame: 16384, room: 65535, ours: 65535, initial: 65535,
	}
	c.out = append(c.out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"...)
	setting := binary.BigEndian.AppendUint32([]byte{0, settingInitialWindow}, uint32(window))
	c.frame(frameSettings, 0, 0, setting)
	if window > narrow {
		c.frame(frameWindow, 0, 0, binary.BigEndian.AppendUint32(nil, uint32(window-narrow)))
	}
	c.frame(frameHeaders, flagEndHeaders, streamID, headers(path, authority))
	return c
}

// headers encodes a gRPC request's header block without any table, so that nothing has to be kept.
func headers(path, authority string) []byte {
	block := []byte{0x83, 0x86} // :method POST, :scheme http
	literal := func(name []byte, value string) {
		block = append(append(append(block, name...), byte(len(value))), value...)
	}
	literal([]byte{0x04}, path)
	literal([]byte{0x01}, authority)
	literal([]byte{0x0f, 0x10}, "application/grpc") // content-type
	literal([]byte("\x00\x02te"), "trailers")
	return block
}

func (c *conn) frame(kind, flags byte, stream uint32, payload []byte) {
	size := len(payload)
	c.out = append(c.out, byte(size>>16), byte(size>>8), byte(size), kind, flags)
	c.out = binary.BigEndian.AppendUint32(c.out, stream)
	c.out = append(c.out, payload...)
}

// send queues one gRPC message, given in parts.
func (c *conn) send(parts ...[]byte) {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	c.waiting = append(c.waiting, 0)
	c.waiting = binary.BigEndian.AppendUint32(c.waiting, uint32(size))
	for _, part := range parts {
		c.waiting = append(c.waiting, part...)
	}
}

// flush writes what the server's windows have room for.
func (c *conn) flush() error {
	sent := 0
	for sent < len(c.waiting) {
		size := min(int64(len(c.waiting)-sent), int64(c.maxFrame), c.room, c.ours)
		if size <= 0 {
			break
		}
		c.frame(frameData, 0, streamID, c.waiting[sent:sent+int(size)])
		c.room, c.ours, sent = c.room-size, c.ours-size, sent+int(size)
	}
	if c.waiting = c.waiting[sent:]; len(c.waiting) == 0 {
		c.waiting = nil
	}
	if len(c.out) == 0 {
		return nil
	}
	c.bytesOut += int64(len(c.out))
	_, err := c.socket.Write(c.out)
	if c.out = c.out[:0]; cap(c.out) > 1<<14 {
		c.out = nil
	}
	return err
}

// step takes in one frame and writes what it calls for.
func (c *conn) step() error {
	var head [9]byte
	if _, err := io.ReadFull(c.reader, head[:]); err != nil {
		return err
	}
	size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	kind, flags := head[3], head[4]
	c.bytesIn += int64(9 + size)
	if kind == frameData {
		return c.data(size, flags)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(c.reader, payload); err != nil {
		return err
	}
	switch kind {
	case frameHeaders:
		if flags&flagEndStream != 0 {
			return fmt.Errorf("the server ended the stream: %q", payload)
		}
	case frameReset:
		return fmt.Errorf("the server reset the stream: %x", payload)
	case frameGoAway:
		return fmt.Errorf("the server sent GOAWAY: %q", payload)
	case framePing:
		if flags&flagAck == 0 {
			c.frame(framePing, flagAck, 0, payload)
		}
	case frameWindow:
		more := int64(binary.BigEndian.Uint32(payload))
		if binary.BigEndian.Uint32(head[5:]) == 0 {
			c.room += more
		} else {
			c.ours += more
		}
	case frameSettings:
		if flags&flagAck == 0 {
			c.settings(payload)
			c.frame(frameSettings, flagAck, 0, nil)
		}
	}
	return c.flush()
}

func (c *conn) settings(payload []byte) {
	for ; len(payload) >= 6; payload = payload[6:] {
		value := int64(binary.BigEndian.Uint32(payload[2:]))
		switch binary.BigEndian.Uint16(payload) {
		case settingInitialWindow:
			c.ours, c.initial = c.ours+value-c.initial, value
		case settingMaxFrame:
			c.maxFrame = int(min(value, 1<<20))
		}
	}
}

// data takes in a DATA frame's payload and delivers the messages it completes.
func (c *conn) data(size int, flags byte) error {
	if flags&flagPadded != 0 {
		return errors.New("padded frames are not understood")
	}
	c.unstated += int64(size)
	for size > 0 {
		missing := 5 - len(c.message)
		if missing <= 0 {
			missing = 5 + int(binary.BigEndian.Uint32(c.message[1:])) - len(c.message)
		}
		take := min(missing, size)
		start := len(c.message)
		if start == 5 {
			c.message = slices.Grow(c.message, missing)
		}
		c.message = slices.Grow(c.message, take)[:start+take]
		if _, err := io.ReadFull(c.reader, c.message[start:]); err != nil {
			return err
		}
		size -= take
		if len(c.message) >= 5 && len(c.message) == 5+int(binary.BigEndian.Uint32(c.message[1:])) {
			c.delivered(c.message[5:])
			if c.message = c.message[:0]; cap(c.message) > 1<<12 {
				c.message = nil
			}
		}
	}
	if c.unstated > int64(c.window/4) {
		more := binary.BigEndian.AppendUint32(nil, uint32(c.unstated))
		c.frame(frameWindow, 0, 0, more)
		c.frame(frameWindow, 0, streamID, more)
		c.unstated = 0
	}
	return c.flush()
}
