// Command server is a chat node: alone a whole chat, or one of many equal nodes.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
	"github.com/gochat-dev/gochat/internal/settings"
)

// version is set when a release is built.
var version = "dev"

// cli is the command line. The settings are the same for every command.
type cli struct {
	settings.Flags

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	Serve       serveCommand       `cmd:"" default:"1" help:"Serve the chat (the default)."`
	Admin       adminCommand       `cmd:"" help:"Make an administrator, reset a password, or begin a new epoch after a restore."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the schema of the Postgres database up to date. SQLite does so by itself."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask the server of these settings whether it should get traffic: exit 0, or 1 and why not."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
	OpenAPI     openAPICommand     `cmd:"" name:"openapi" hidden:"" help:"Print the OpenAPI document."`
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Println("gochat", version)
	return err
}

// openAPICommand is for `make generate`.
type openAPICommand struct{}

// Run prints the OpenAPI document of the REST API.
func (openAPICommand) Run() error {
	document, err := httpapi.Document()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(document)
	return err
}

func main() {
	var c cli
	parser := kong.Must(&c, settings.Help, kong.Name("server"), kong.ShortUsageOnError(), kong.Vars{"version": "gochat " + version},
		kong.Description("GoChat: a chat that a team runs for itself. Without any settings this is a whole chat on http://localhost:8080."))
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if command.Command() == "serve" {
		if err := joinWakeUps(); err != nil {
			fmt.Fprintln(os.Stderr, "server: goes on with more wake-ups than it needs:", err)
		}
	}
	if err := command.Run(&c); err != nil {
		fmt.Fprintln(os.Stderr, "server:", plainly(err))
		os.Exit(1)
	}
}

// plainly is an error in words for people: of a refusal not its code, which is for machines.
func plainly(err error) string {
	if refusal, ok := errors.AsType[*chat.Error](err); ok {
		return refusal.Message
	}
	return err.Error()
}

// settings checks the settings and makes the log.
func (c *cli) settings() (settings.Server, *slog.Logger, error) {
	cfg, err := c.Flags.Server()
	if err != nil {
		return cfg, nil, err
	}
	return cfg, newLog(cfg), nil
}

// newLog makes the log: for people on a terminal, for machines elsewhere.
func newLog(cfg settings.Server) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel, ReplaceAttr: readable}
	format := cfg.LogFormat
	if format == settings.LogAuto && isTerminal(os.Stderr) {
		format = settings.LogText
	}
	if format == settings.LogText {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

// readable writes lengths of time as 1.5s, which JSON would have in nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
	}
	return a
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type serveCommand struct{}

// gcPercent is how much the heap may grow between collections, in percent of what is in use. Go's 100 doubles what each
// connection costs; with 50 the collector takes about 2 % more of the CPU under load. GOGC in the environment goes first.
const gcPercent = 50

// Run serves until it is told to stop: the first signal drains, the second ends at once.
func (serveCommand) Run(c *cli) error {
	cfg, log, err := c.settings()
	if err != nil {
		return err
	}
	for _, name := range settings.Unknown(os.Environ()) {
		log.Warn("a variable looks like a setting and is none: is it misspelt?", "name", name)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := open(ctx, cfg, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped before it served", "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, stop) // from the first signal on, the next one has its usual effect
	return n.serve(ctx)
}
