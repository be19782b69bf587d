package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Cluster is a Redis Cluster of masters without replicas.
type Cluster struct {
	Nodes []*Server
}

const slots = 16384

// StartCluster starts so many masters, each with an equal share of the slots. The caller stops them.
func StartCluster(masters int) (*Cluster, error) {
	c := &Cluster{}
	for range masters {
		bus, err := freePort()
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		s, err := Start(Config{Args: []string{
			"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus), "--cluster-node-timeout", "2000",
			"--cluster-require-full-coverage", "no",
		}})
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		c.Nodes = append(c.Nodes, s)
		if err := c.join(s, bus, masters); err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	return c, c.settle()
}

// join gives a new master its slots and introduces it to the first.
func (c *Cluster) join(s *Server, bus, masters int) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	i := len(c.Nodes) - 1
	first, last := i*slots/masters, (i+1)*slots/masters-1
	if _, err := s.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", first, last); err != nil {
		return err
	}
	if _, err := s.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil || i == 0 {
		return err
	}
	_, err = c.Nodes[0].Do(ctx, "CLUSTER", "MEET", host, port, bus)
	return err
}

// settle waits until every master knows of all slots.
func (c *Cluster) settle() error {
	deadline := time.Now().Add(startTimeout)
	for _, s := range c.Nodes {
		for {
			info, err := s.Do(context.Background(), "CLUSTER", "INFO")
			text := fmt.Sprint(info)
			if err == nil && strings.Contains(text, "cluster_state:ok") && strings.Contains(text, fmt.Sprintf("cluster_slots_ok:%d", slots)) {
				break
			}
			if time.Now().After(deadline) {
				return errors.Join(fmt.Errorf("the cluster does not come together: %w\n%s\n%s", err, text, s.Log()), c.Stop())
			}
			time.Sleep(10 * time.Millisecond) // between two looks; nothing depends on how long
		}
	}
	return nil
}

// URL names all masters, in go-redis' form of a cluster's address.
func (c *Cluster) URL() string {
	addrs := make([]string, 0, len(c.Nodes))
	for _, s := range c.Nodes {
		addrs = append(addrs, s.Addr())
	}
	return "redis://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
}

// Stop ends all servers.
func (c *Cluster) Stop() error {
	var err error
	for _, s := range c.Nodes {
		err = errors.Join(err, s.Stop())
	}
	return err
}
