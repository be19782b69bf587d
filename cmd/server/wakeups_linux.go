package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is by how much the system may delay a sleep to wake the processor less often. Go's monitor thread sleeps
// for 20 µs at a time while anything happens, sixteen times for each message of an otherwise quiet node, which was a tenth of all
// a message costs. Nothing here depends on a timer being more exact than this.
const timerSlack = time.Millisecond

// joinWakeUps has the program start once more, in the same process, with timerSlack for all its threads. Threads inherit theirs,
// and the monitor's is there before anything of ours runs; what a program is started with, execve(2) leaves as it is
// (PR_SET_TIMERSLACK in prctl(2)). It does not return where it did so.
func joinWakeUps() error {
	runtime.LockOSThread() // the slack is that of the thread that makes the new program's first
	defer runtime.UnlockOSThread()
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(slack) == timerSlack {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0); err != nil {
		return err
	}
	if err := syscall.Exec(program, os.Args, os.Environ()); err != nil { //nolint:gosec // this very program
		return fmt.Errorf("%s: %w", program, err)
	}
	return nil
}
