//go:build !linux

package faults

import "syscall"

// attributes: an interrupt at the terminal is the test's affair.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
