// Package settings is every setting of the server: its name, its default, what it means, and whether a value makes sense.
//
// It is read by the server, and written by the operator as the environment of the nodes that it makes.
package settings

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/time/rate"
)

// Prefix stands before the name of every setting in the environment.
const Prefix = "GOCHAT_"

// Flags are the settings as they are written in the environment and on the command line, not checked yet.
// Embed it in the command line of a program, and call Server when it has been parsed:
//
//	var cli struct {
//		settings.Flags
//		Serve struct{} `cmd:"" default:"1" hidden:""`
//	}
//	kong.Parse(&cli, settings.Help)
//	cfg, err := cli.Flags.Server()
//
// An empty value is the same as none: the default counts.
type Flags struct {
	Listen          string `name:"listen" env:"GOCHAT_LISTEN" default:":8080" placeholder:"ADDRESS" group:"Settings:" help:"Public address: the app, the API, the WebSocket."`
	AdminListen     string `name:"admin-listen" env:"GOCHAT_ADMIN_LISTEN" default:"127.0.0.1:9090" placeholder:"ADDRESS" group:"Settings:" help:"Address of metrics, health in detail and pprof. Keep it private."`
	DataDir         string `name:"data-dir" env:"GOCHAT_DATA_DIR" default:"./data" placeholder:"DIR" group:"Settings:" help:"Holds the SQLite file and the generated keys (mode 0700)."`
	PostgresURL     string `name:"postgres-url" env:"GOCHAT_POSTGRES_URL" placeholder:"URL" group:"Settings:" help:"Keep everything in this Postgres instead of SQLite: postgres://user:password@host:5432/db."`
	RedisURL        string `name:"redis-url" env:"GOCHAT_REDIS_URL" placeholder:"URL" group:"Settings:" help:"Join several nodes through this Redis: redis://host:6379/0 or rediss://…"`
	PublicURL       string `name:"public-url" env:"GOCHAT_PUBLIC_URL" placeholder:"URL" group:"Settings:" help:"Where people reach the chat, for invite links and cookies. Without it: as in the request."`
	AllowedOrigins  string `name:"allowed-origins" env:"GOCHAT_ALLOWED_ORIGINS" placeholder:"ORIGIN,…" group:"Settings:" help:"Origins, besides the server's own host, whose pages may use the API: https://app.example.com."`
	Web             string `name:"web" env:"GOCHAT_WEB" default:"embedded" placeholder:"WHICH" group:"Settings:" help:"The web app: embedded (this server serves it), none (it is served from elsewhere, a CDN: see GOCHAT_ALLOWED_ORIGINS)."`
	Registration    string `name:"registration" env:"GOCHAT_REGISTRATION" default:"open" placeholder:"WHO" group:"Settings:" help:"Who may register: open (anyone), invite (who has an invite link), closed (nobody)."`
	Guests          toggle `name:"guests" env:"GOCHAT_GUESTS" default:"false" group:"Settings:" help:"Let people in without an account."`
	JWTKeysFile     string `name:"jwt-keys-file" env:"GOCHAT_JWT_KEYS_FILE" placeholder:"FILE" group:"Settings:" help:"JWK Set of the keys of access tokens: the first signs, all verify; read again when it changes. Without it: made in the data directory."`
	AccessTokenTTL  string `name:"access-token-ttl" env:"GOCHAT_ACCESS_TOKEN_TTL" default:"15m" placeholder:"TIME" group:"Settings:" help:"How long an access token is good."`
	RefreshTokenTTL string `name:"refresh-token-ttl" env:"GOCHAT_REFRESH_TOKEN_TTL" default:"30d" placeholder:"TIME" group:"Settings:" help:"How long somebody who does not come back stays logged in."`
	AuthRate        string `name:"auth-rate" env:"GOCHAT_AUTH_RATE" default:"10/m" placeholder:"RATE" group:"Settings:" help:"Sign-ups, and failed log-ins, per address: 10/m, 100/h, or 0 for no limit."`
	SendRate        string `name:"send-rate" env:"GOCHAT_SEND_RATE" default:"10/s" placeholder:"RATE" group:"Settings:" help:"Messages per user, with bursts of twice as many: 10/s, or 0 for no limit."`
	MaxConnections  string `name:"max-connections" env:"GOCHAT_MAX_CONNECTIONS" default:"0" placeholder:"N" group:"Settings:" help:"WebSockets beyond this are refused with 503. 0: no limit."`
	Drain           string `name:"drain" env:"GOCHAT_DRAIN" default:"25s" placeholder:"TIME" group:"Settings:" help:"How long the connections are given to move to another node at SIGTERM."`
	TrustedProxies  string `name:"trusted-proxies" env:"GOCHAT_TRUSTED_PROXIES" placeholder:"CIDR,…" group:"Settings:" help:"Addresses or networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto count."`
	PPROF           toggle `name:"pprof" env:"GOCHAT_PPROF" default:"false" group:"Settings:" help:"Serve /debug/pprof/ on the admin address."`
	LogLevel        string `name:"log-level" env:"GOCHAT_LOG_LEVEL" default:"info" placeholder:"LEVEL" group:"Settings:" help:"debug, info, warn or error."`
	LogFormat       string `name:"log-format" env:"GOCHAT_LOG_FORMAT" placeholder:"FORMAT" group:"Settings:" help:"text or json. Without it: text on a terminal, else json."`
}

// Help makes --help show the default of each setting and its name in the environment.
var Help kong.Option = kong.ValueFormatter(func(v *kong.Value) string {
	help := v.Help
	if len(v.Tag.Envs) == 0 {
		return help
	}
	if v.Default != "" {
		help += " Default: " + v.Default + "."
	}
	return help + " $" + v.Tag.Envs[0]
})

// Server is what the settings say, checked.
type Server struct {
	Listen          string
	AdminListen     string
	DataDir         string
	PostgresURL     string // empty: SQLite
	RedisURL        string // empty: backplane in memory
	PublicURL       *url.URL
	AllowedOrigins  []string // scheme://host[:port], in lower case
	Web             Web
	Registration    Registration
	Guests          bool
	JWTKeysFile     string // empty: generated
	AccessTokenTTL  time.Duration
	RefreshTokenTTL time.Duration
	AuthRate        Rate
	SendRate        Rate
	MaxConnections  int // 0: no limit
	Drain           time.Duration
	TrustedProxies  []netip.Prefix
	PPROF           bool
	LogLevel        slog.Level
	LogFormat       LogFormat
}

// Web says which web app the server serves.
type Web string

// What is served as the web app.
const (
	WebEmbedded Web = "embedded" // the one in the binary
	WebNone     Web = "none"
)

// Registration says who may make an account.
type Registration string

// The ways of registration.
const (
	RegistrationOpen   Registration = "open"
	RegistrationInvite Registration = "invite"
	RegistrationClosed Registration = "closed"
)

// LogFormat says how log lines are written.
type LogFormat string

// The formats of log lines.
const (
	LogAuto LogFormat = "" // text on a terminal, else JSON
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Rate is so many of something per time. The zero Rate is no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// Limit is the rate per second, as package rate wants it; 0 where there is no limit.
func (r Rate) Limit() rate.Limit {
	if r.N == 0 {
		return 0
	}
	return rate.Limit(float64(r.N) / r.Per.Seconds())
}

// String writes a rate as the setting has it.
func (r Rate) String() string {
	for unit, per := range rateUnits {
		if r.N != 0 && r.Per == per {
			return fmt.Sprintf("%d/%s", r.N, unit)
		}
	}
	return "0"
}

// Setting describes one setting.
type Setting struct {
	Name    string // in the environment, whole: GOCHAT_LISTEN
	Flag    string // on the command line, without the dashes: listen
	Default string
	Doc     string // one sentence or two
}

// All lists every setting that the server reads, in the order of the documentation.
func All() []Setting {
	var all []Setting
	for field := range reflect.TypeFor[Flags]().Fields() {
		tag := field.Tag
		all = append(all, Setting{
			Name: tag.Get("env"), Flag: tag.Get("name"), Default: tag.Get("default"), Doc: tag.Get("help"),
		})
	}
	return all
}

// Unknown returns the names in an environment (as os.Environ gives it) that look like settings and are none: a
// server that starts should warn of them. What Kubernetes sets for a service called gochat is passed over.
func Unknown(environ []string) []string {
	known := make(map[string]bool)
	for _, s := range All() {
		known[s.Name] = true
	}
	var unknown []string
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, Prefix) && !known[name] && !serviceLink.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// Variable is a setting as it stands in an environment.
type Variable struct {
	Name, Value string
}

// Environ writes the settings as the environment that they are read from, in the order of the documentation. What is empty is left
// out: the default counts.
func (f Flags) Environ() []Variable {
	var all []Variable
	for field, value := range reflect.ValueOf(f).Fields() {
		if value.String() != "" {
			all = append(all, Variable{Name: field.Tag.Get("env"), Value: value.String()})
		}
	}
	return all
}
