//go:build !linux

package session

import (
	"errors"
	"syscall"
)

// send writes to a socket without ever waiting, and returns how many bytes it took: none where the socket is full or
// broken, which the next write that may wait will tell.
func send(fd uintptr, b []byte) int {
	n, err := syscall.Write(int(fd), b)
	if err != nil {
		return 0
	}
	return n
}

// receive reads what a socket has, without ever waiting: EAGAIN where that is nothing.
func receive(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		if !errors.Is(err, syscall.EINTR) {
			return max(n, 0), err
		}
	}
}
