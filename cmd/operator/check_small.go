//go:build small

package main

import (
	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/children"
)

// checksAll says whether check refuses all that the API server would. That takes the API server's own code, which makes the program of the
// image a fifth larger: more than the container has room for (OP11).
const checksAll = false

// check reads a ChatCluster, if it has the fields that there are, and what children depend on is right.
func check(document []byte) (*v1alpha1.ChatCluster, error) {
	cluster := &v1alpha1.ChatCluster{}
	if err := decode(document, cluster); err != nil {
		return nil, err
	}
	return cluster, children.Check(cluster)
}
