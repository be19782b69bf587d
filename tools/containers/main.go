// Command containers looks for faults in the files that people with Docker use: the Dockerfiles, .dockerignore, and
// compose.yaml with its override. It needs neither Docker nor a network.
//
//	go run . ../..
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: containers REPOSITORY")
		os.Exit(2)
	}
	faults, err := check(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "containers:", err)
		os.Exit(1)
	}
	for _, fault := range faults {
		fmt.Println(fault)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// check returns what is wrong with the files of a repository. The error is for what can't be read.
func check(ctx context.Context, root string) ([]string, error) {
	faults, err := checkDockerfiles(ctx, root)
	if err != nil {
		return nil, err
	}
	more, err := checkCompose(ctx, root)
	return append(faults, more...), err
}
