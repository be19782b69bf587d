//go:build !linux

package session

import "syscall"

// send writes to a socket without ever waiting, and returns how many bytes it took: none where the socket is full or
// broken, which the next write that may wait will tell.
func send(fd uintptr, b []byte) int {
	n, err := syscall.Write(int(fd), b)
	if err != nil {
		return 0
	}
	return n
}
