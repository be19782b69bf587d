//go:build linux

package loadtest

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// maxPayload bounds what a server may send in one frame, in bytes: a resume of 500 long entries fits.
const maxPayload = 16 << 20

var (
	errMaskedFrame   = errors.New("websocket: a server must not mask its frames")
	errReservedBits  = errors.New("websocket: reserved bits are set")
	errControlFrame  = errors.New("websocket: a control frame is fragmented or longer than 125 bytes")
	errOpcode        = errors.New("websocket: unknown opcode")
	errFrameTooLarge = errors.New("websocket: frame is too large")
	errContinuation  = errors.New("websocket: a continuation without a start, or a start within a message")
)

// frame is one WebSocket frame from a server; the payload is a view into the buffer it was read from.
type frame struct {
	fin     bool
	opcode  byte
	payload []byte
}

// parseFrame takes one frame from the start of b and says how many bytes it used;
// 0 without an error means that b holds only a part of a frame.
func parseFrame(b []byte) (frame, int, error) {
	if len(b) < 2 {
		return frame{}, 0, nil
	}
	f := frame{fin: b[0]&0x80 != 0, opcode: b[0] & 0x0F}
	switch {
	case b[0]&0x70 != 0:
		return frame{}, 0, errReservedBits
	case b[1]&0x80 != 0:
		return frame{}, 0, errMaskedFrame
	case f.opcode > opPong || f.opcode > opBinary && f.opcode < opClose:
		return frame{}, 0, fmt.Errorf("%w: %#x", errOpcode, f.opcode)
	case f.opcode >= opClose && (!f.fin || b[1] > 125):
		return frame{}, 0, errControlFrame
	}
	length, head := uint64(b[1]), 2
	switch {
	case length == 126 && len(b) < 4, length == 127 && len(b) < 10:
		return frame{}, 0, nil
	case length == 126:
		length, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127:
		length, head = binary.BigEndian.Uint64(b[2:]), 10
	}
	if length > maxPayload {
		return frame{}, 0, fmt.Errorf("%w: %d bytes", errFrameTooLarge, length)
	}
	end := head + int(length)
	if len(b) < end {
		return frame{}, 0, nil
	}
	f.payload = b[head:end]
	return f, end, nil
}

// appendFrame appends a whole frame from a client to dst, masked with key (RFC 6455, section 5.3).
func appendFrame(dst []byte, opcode byte, key uint32, payload []byte) []byte {
	dst = appendFrameHead(dst, opcode, 0x80, len(payload))
	var mask [4]byte
	binary.BigEndian.PutUint32(mask[:], key)
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i&3])
	}
	return dst
}

// serverFrame is a whole, unmasked frame.
func serverFrame(opcode byte, payload []byte) []byte {
	return append(appendFrameHead(nil, opcode, 0, len(payload)), payload...)
}

// appendFrameHead appends the first bytes of a final frame; maskBit is 0x80 for a client and 0 for a server.
func appendFrameHead(dst []byte, opcode, maskBit byte, length int) []byte {
	dst = append(dst, 0x80|opcode)
	switch {
	case length < 126:
		return append(dst, maskBit|byte(length))
	case length <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, maskBit|126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(dst, maskBit|127), uint64(length))
	}
}

// closeCode reads the code of a close frame's payload; 1005 stands for none (RFC 6455, section 7.1.5).
func closeCode(payload []byte) int {
	if len(payload) < 2 {
		return 1005
	}
	return int(binary.BigEndian.Uint16(payload))
}

// parseClientFrame takes one masked frame of a client from the start of b and unmasks it in place.
// It is the floor's reading side: 0 bytes used without an error means that b holds only a part.
func parseClientFrame(b []byte) (frame, int, error) {
	if len(b) < 2 {
		return frame{}, 0, nil
	}
	if b[1]&0x80 == 0 {
		return frame{}, 0, errors.New("websocket: a client must mask its frames")
	}
	f := frame{fin: b[0]&0x80 != 0, opcode: b[0] & 0x0F}
	length, head := int(b[1]&0x7F), 2
	switch {
	case length == 127:
		return frame{}, 0, errFrameTooLarge
	case length == 126 && len(b) < 4:
		return frame{}, 0, nil
	case length == 126:
		length, head = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	end := head + 4 + length
	if len(b) < end {
		return frame{}, 0, nil
	}
	mask := b[head : head+4]
	f.payload = b[head+4 : end]
	for i := range f.payload {
		f.payload[i] ^= mask[i&3]
	}
	return f, end, nil
}
