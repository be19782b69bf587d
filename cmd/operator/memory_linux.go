package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// dropProgramPages takes out of memory the pages of the program that can be read again from its file: those that nobody can write to. They
// leave the system's cache as well, where they would count for the container.
func dropProgramPages() error {
	return errors.Join(adviseProgram(unix.MADV_DONTNEED), forgetProgram())
}

// readProgramSparingly has the system read of the program what is used, and nothing around it. Of a program of 40 MB a disk that reads
// ahead by megabytes fills a small container with pages that nobody needs, and pushes out those that run. What was read ahead
// until now is forgotten.
func readProgramSparingly() error {
	return errors.Join(adviseProgram(unix.MADV_RANDOM), dropProgramPages())
}

func adviseProgram(advice uintptr) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	var faults []error
	for line := range strings.Lines(string(maps)) {
		// 00400000-017cb000 r-xp 00000000 08:01 1234  /operator
		fields := strings.Fields(line)
		if len(fields) != 6 || fields[5] != program || strings.Contains(fields[1], "w") {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &from, &to); err != nil {
			return fmt.Errorf("/proc/self/maps: %q: %w", fields[0], err)
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, to-from, advice); errno != 0 {
			faults = append(faults, fmt.Errorf("madvise: %w", errno))
		}
	}
	return errors.Join(faults...)
}

// forgetProgram takes out of the system's cache what nobody has mapped.
func forgetProgram() error {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer program.Close()
	if err := unix.Fadvise(int(program.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("fadvise: %w", err)
	}
	return nil
}
