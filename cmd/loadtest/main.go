//go:build linux

// Command loadtest is the load generator: thousands of real clients, measured against a bare floor.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gochat-dev/gochat/internal/loadtest"
)

type output struct {
	JSON string `name:"json" help:"Write the report as JSON." type:"path"`
	SVG  string `name:"svg" help:"Write the report as a chart." type:"path"`
}

type runCmd struct {
	loadtest.Workload
	loadtest.Server
	output
}

type floorCmd struct {
	loadtest.Workload
	output
}

type floorServerCmd struct {
	Listen      string `required:""`
	AdminListen string `required:""`
	Rooms       int    `required:""`
	Body        int    `required:""`
}

var errFaults = errors.New("the run had faults")

func (c *runCmd) Run(ctx context.Context) error {
	report, err := loadtest.Run(ctx, c.Workload, c.Server)
	if err != nil {
		return err
	}
	return c.write(report)
}

func (c *floorCmd) Run(ctx context.Context) error {
	report, err := loadtest.Floor(ctx, c.Workload)
	if err != nil {
		return err
	}
	return c.write(report)
}

func (c *floorServerCmd) Run(ctx context.Context) error {
	server := loadtest.FloorServer{Listen: c.Listen, AdminListen: c.AdminListen, Rooms: c.Rooms, Body: c.Body}
	return server.Serve(ctx)
}

// write prints the report and writes the files that are asked for; faults are an error in the end.
func (o output) write(report *loadtest.Report) error {
	if err := report.WriteText(os.Stdout); err != nil {
		return err
	}
	if o.JSON != "" {
		content, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := os.WriteFile(o.JSON, append(content, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.SVG != "" {
		chart, err := report.Chart()
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.SVG, chart, 0o644); err != nil {
			return err
		}
	}
	if len(report.Faults) > 0 {
		return errFaults
	}
	return nil
}

func main() {
	var cli struct {
		Run         runCmd         `cmd:"" help:"Measure floor, server and floor again."`
		Floor       floorCmd       `cmd:"" help:"Measure the floor alone: one write per delivery, nothing else."`
		FloorServer floorServerCmd `cmd:"" hidden:"" help:"Be the floor."`
	}
	parsed := kong.Parse(&cli, kong.Name("loadtest"), kong.Description("The load generator: real clients, measured against a bare floor."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.FatalIfErrorf(parsed.Run())
}
