package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// healthcheckCommand is the health check of a container, in which there is neither a shell nor curl.
type healthcheckCommand struct {
	Live bool `help:"Ask only whether the process answers, not whether it should get traffic."`
}

// Docker gives up after 30 s, and we before: then it is said what was waited for.
const healthcheckTimeout = 5 * time.Second

// Run asks the server with the same settings how it is. The error is what the server complains of.
func (h healthcheckCommand) Run(c *cli) error {
	cfg, err := c.Flags.Server()
	if err != nil {
		return err
	}
	path, word := "/readyz", "ready"
	if h.Live {
		path, word = "/livez", "alive"
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthcheckTimeout)
	defer cancel()
	return done(askHealth(ctx, "http://"+reachable(cfg.AdminListen)+path), word)
}

// reachable is where a listener on this machine is reached: an address that stands for all of them is none to dial.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen // not for us to judge
	}
	addr, err := netip.ParseAddr(host)
	if host == "" || err == nil && addr == netip.IPv4Unspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	if err == nil && addr == netip.IPv6Unspecified() {
		return net.JoinHostPort("::1", port)
	}
	return listen
}

func askHealth(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy, whatever the environment says
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it has been read, or the answer is an error already
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return errors.New(complaint(res.Status, body))
}

// complaint is what a server says is wrong with it, in one line.
func complaint(status string, body []byte) string {
	var said struct {
		Checks map[string]struct {
			OK    bool   `json:"ok"`
			Error string `json:"error"`
		} `json:"checks"`
	}
	var wrong []string
	if err := json.Unmarshal(body, &said); err == nil {
		for name, check := range said.Checks {
			if !check.OK {
				wrong = append(wrong, name+": "+check.Error)
			}
		}
	}
	slices.Sort(wrong)
	if len(wrong) == 0 {
		return "not well: " + status
	}
	return "not ready: " + strings.Join(wrong, "; ")
}
