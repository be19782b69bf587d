package controller

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	acv1 "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/gochat-dev/gochat/internal/operator/children"
)

// Connections tells how many connections a server has.
type Connections interface {
	Of(ctx context.Context, podIP string) (int, error)
}

// deletionCost is the annotation by which Kubernetes chooses the pod that goes: the lowest first.
const deletionCost = corev1.PodDeletionCost

// markEmptiest writes on each server how many connections it has, so that the emptiest goes (OP4). Servers that do not answer
// keep what they had: that must not keep people from having fewer of them.
func (p *pass) markEmptiest(ctx context.Context) error {
	for _, pod := range p.podsOf(children.Server) {
		if pod.Status.PodIP == "" || pod.DeletionTimestamp != nil {
			continue
		}
		n, err := p.connections.Of(ctx, pod.Status.PodIP)
		if err != nil {
			logf.FromContext(ctx).Info("a server does not tell how many connections it has", "pod", pod.Name, "error", err.Error())
			continue
		}
		cost := strconv.Itoa(n)
		if pod.Annotations[deletionCost] == cost {
			continue
		}
		marked := acv1.Pod(pod.Name, pod.Namespace).WithUID(pod.UID).WithAnnotations(map[string]string{deletionCost: cost})
		err = p.client.Apply(ctx, marked, client.FieldOwner(FieldOwner), client.ForceOwnership)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("pod %s: %w", pod.Name, err)
		}
	}
	return nil
}

// adminPort is where servers serve their metrics.
const adminPort = "9090"

// scraper asks the servers themselves.
type scraper struct{ client *http.Client }

// newScraper makes one that waits for no server for long, and for no proxy.
func newScraper() scraper {
	return scraper{client: &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// Of implements Connections.
func (s scraper) Of(ctx context.Context, podIP string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(podIP, adminPort)+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s answers %s", request.URL, response.Status)
	}
	return readConnections(response.Body)
}

// readConnections finds gochat_connections in metrics as Prometheus writes them.
func readConnections(metrics io.Reader) (int, error) {
	lines := bufio.NewScanner(io.LimitReader(metrics, 4<<20))
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), "gochat_connections "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(n), err
		}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("there is no gochat_connections")
}
