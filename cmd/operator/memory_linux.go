package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readProgramSparingly has the system read of the program what is used, and nothing around it. Of a program of 40 MB a disk that reads
// ahead fills a small container with pages that nobody needs, and pushes out those that run. What was read ahead until now is dropped.
func readProgramSparingly() error {
	regions, err := programRegions()
	if err != nil {
		return err
	}
	return errors.Join(advise(regions, unix.MADV_RANDOM), dropProgramPages())
}

// dropProgramPages takes out of memory the pages of the program that can be read again from its file: those that nobody can write to. They
// leave the system's cache as well, where they would count for the container.
func dropProgramPages() error {
	regions, err := programRegions()
	if err != nil {
		return err
	}
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer program.Close()
	// What runs in between is mapped again at once, and with it all that was read together with it, by megabytes: the second time that is
	// little more than what runs here.
	for range 3 {
		if err := advise(regions, unix.MADV_DONTNEED); err != nil {
			return err
		}
		if err := unix.Fadvise(int(program.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return fmt.Errorf("fadvise: %w", err)
		}
	}
	return nil
}

// region is a part of memory.
type region struct{ from, to uintptr }

// programRegions are where the program is mapped from its file, for nobody to write to.
func programRegions() ([]region, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	var regions []region
	for line := range strings.Lines(string(maps)) {
		// 00400000-017cb000 r-xp 00000000 08:01 1234  /operator
		fields := strings.Fields(line)
		if len(fields) != 6 || fields[5] != program || strings.Contains(fields[1], "w") {
			continue
		}
		var r region
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &r.from, &r.to); err != nil {
			return nil, fmt.Errorf("/proc/self/maps: %q: %w", fields[0], err)
		}
		regions = append(regions, r)
	}
	return regions, nil
}

func advise(regions []region, advice uintptr) error {
	for _, r := range regions {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, advice); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return nil
}
