//go:build !linux

package main

// dropProgramPages does nothing: how it is done depends on the system.
func dropProgramPages() error { return nil }
