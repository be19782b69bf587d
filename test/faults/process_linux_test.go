package faults

import "syscall"

// attributes: an interrupt at the terminal is the test's affair, and a killed test leaves nothing behind.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
