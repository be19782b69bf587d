//go:build !small

package main

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/gochat-dev/gochat/api/v1alpha1"
	"github.com/gochat-dev/gochat/internal/operator/schema"
)

// checksAll says whether check refuses all that the API server would.
const checksAll = true

// check reads a ChatCluster, if the API server would take it.
func check(document []byte) (*v1alpha1.ChatCluster, error) {
	taken, err := schema.Check(context.Background(), document)
	if err != nil {
		return nil, err
	}
	cluster := &v1alpha1.ChatCluster{}
	return cluster, runtime.DefaultUnstructuredConverter.FromUnstructured(taken.Object, cluster)
}
