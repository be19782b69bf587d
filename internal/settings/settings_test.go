package settings_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/gochat-dev/gochat/internal/settings"
)

// cli is a program that embeds the settings as cmd/server does.
type cli struct {
	settings.Flags
	Serve struct{} `cmd:"" default:"1" help:"Serve."`
	Admin struct {
		Create struct {
			Username string `required:""`
		} `cmd:""`
	} `cmd:""`
}

func parse(t *testing.T, env map[string]string, args ...string) (settings.Server, error) {
	t.Helper()
	for _, s := range settings.All() {
		value, set := env[s.Name]
		t.Setenv(s.Name, value) // also restores it at the end
		if !set {
			if err := os.Unsetenv(s.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	var c cli
	parser, err := kong.New(&c, kong.Exit(func(int) { t.Fatal("kong ended the program") }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatalf("the command line was refused: %v", err)
	}
	return c.Server()
}

func TestDefaultsAreThoseOfTheDocumentation(t *testing.T) {
	got, err := parse(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != ":8080" || got.AdminListen != "127.0.0.1:9090" || got.DataDir != "./data" {
		t.Errorf("addresses and directory: %+v", got)
	}
	if got.AccessTokenTTL != 15*time.Minute || got.RefreshTokenTTL != 30*24*time.Hour || got.Drain != 25*time.Second {
		t.Errorf("times: %v %v %v", got.AccessTokenTTL, got.RefreshTokenTTL, got.Drain)
	}
	if got.AuthRate != (settings.Rate{N: 10, Per: time.Minute}) || got.SendRate != (settings.Rate{N: 10, Per: time.Second}) {
		t.Errorf("rates: %v %v", got.AuthRate, got.SendRate)
	}
	if got.Web != settings.WebEmbedded || got.Registration != settings.RegistrationOpen || got.Guests || got.PPROF || got.MaxConnections != 0 ||
		got.LogLevel != slog.LevelInfo || got.LogFormat != settings.LogAuto || got.PublicURL != nil {
		t.Errorf("the rest: %+v", got)
	}
}

func TestEnvironmentAndFlagsAreRead(t *testing.T) {
	got, err := parse(t, map[string]string{
		"GOCHAT_LISTEN":          ":1",
		"GOCHAT_GUESTS":          "true",
		"GOCHAT_ALLOWED_ORIGINS": "https://App.Example.com:443, http://localhost:5173",
		"GOCHAT_TRUSTED_PROXIES": "10.1.2.3/8,::1,192.0.2.7",
		"GOCHAT_PUBLIC_URL":      "https://Chat.Example.com/",
		"GOCHAT_AUTH_RATE":       "0",
		"GOCHAT_SEND_RATE":       "", // empty: the default
		"GOCHAT_LOG_LEVEL":       "DEBUG",
		"GOCHAT_REGISTRATION":    "invite",
		"GOCHAT_WEB":             "none",
	}, "--listen=127.0.0.1:2", "--pprof", "--max-connections", "7", "--refresh-token-ttl=1d12h")
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != "127.0.0.1:2" {
		t.Errorf("a flag goes before the environment: %q", got.Listen)
	}
	if got.Web != settings.WebNone || !got.Guests || !got.PPROF || got.MaxConnections != 7 || got.RefreshTokenTTL != 36*time.Hour || got.LogLevel != slog.LevelDebug {
		t.Errorf("%+v", got)
	}
	if want := []string{"https://app.example.com", "http://localhost:5173"}; !slices.Equal(got.AllowedOrigins, want) {
		t.Errorf("origins %q, want %q", got.AllowedOrigins, want)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.7/32")}
	if !slices.Equal(got.TrustedProxies, proxies) {
		t.Errorf("proxies %v, want %v", got.TrustedProxies, proxies)
	}
	if got.PublicURL.String() != "https://chat.example.com" || got.AuthRate != (settings.Rate{}) || got.SendRate.N != 10 {
		t.Errorf("%v %v %v", got.PublicURL, got.AuthRate, got.SendRate)
	}
}

func TestEveryFaultIsInOneMessage(t *testing.T) {
	bad := map[string]string{
		"GOCHAT_LISTEN":            "8080",
		"GOCHAT_ADMIN_LISTEN":      "host:99999",
		"GOCHAT_POSTGRES_URL":      "mysql://user:hunter2@db",
		"GOCHAT_REDIS_URL":         "http://:hunter2@redis",
		"GOCHAT_PUBLIC_URL":        "chat.example.com",
		"GOCHAT_ALLOWED_ORIGINS":   "https://ok.example.com,*",
		"GOCHAT_WEB":               "cdn",
		"GOCHAT_REGISTRATION":      "maybe",
		"GOCHAT_GUESTS":            "perhaps",
		"GOCHAT_ACCESS_TOKEN_TTL":  "-1m",
		"GOCHAT_REFRESH_TOKEN_TTL": "30 days",
		"GOCHAT_AUTH_RATE":         "10",
		"GOCHAT_SEND_RATE":         "ten/s",
		"GOCHAT_MAX_CONNECTIONS":   "-1",
		"GOCHAT_DRAIN":             "soon",
		"GOCHAT_TRUSTED_PROXIES":   "proxy.local",
		"GOCHAT_PPROF":             "2",
		"GOCHAT_LOG_LEVEL":         "loud",
		"GOCHAT_LOG_FORMAT":        "xml",
	}
	_, err := parse(t, bad)
	var faults *settings.FaultsError
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	if len(faults.Faults) != len(bad) {
		t.Errorf("%d faults told of, %d made", len(faults.Faults), len(bad))
	}
	for name := range bad {
		if !strings.Contains(err.Error(), name+" ") {
			t.Errorf("the message does not name %s:\n%v", name, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the message shows a password:\n%v", err)
	}
}

func TestSettingsThatContradictEachOther(t *testing.T) {
	for _, c := range []struct {
		name, blames string
		env          map[string]string
	}{
		{"a log-in shorter than its access token", "GOCHAT_REFRESH_TOKEN_TTL", map[string]string{"GOCHAT_REFRESH_TOKEN_TTL": "10m"}},
		{"admin on the public address", "GOCHAT_ADMIN_LISTEN", map[string]string{"GOCHAT_ADMIN_LISTEN": ":8080"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parse(t, c.env); err == nil || !strings.Contains(err.Error(), c.blames) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := parse(t, map[string]string{"GOCHAT_LISTEN": "127.0.0.1:0", "GOCHAT_ADMIN_LISTEN": "127.0.0.1:0"}); err != nil {
		t.Errorf("two free ports are two addresses: %v", err)
	}
}

func TestEverySettingHasNameFlagAndDoc(t *testing.T) {
	all := settings.All()
	if len(all) != 21 {
		t.Errorf("%d settings, 21 are documented", len(all))
	}
	for _, s := range all {
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.Name, settings.Prefix)), "_", "-")
		if s.Flag != flag || s.Doc == "" || !strings.HasPrefix(s.Name, settings.Prefix) {
			t.Errorf("%+v", s)
		}
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	var c cli
	var out bytes.Buffer
	ended := errors.New("ended")
	parser, err := kong.New(&c, settings.Help, kong.Name("server"), kong.Writers(&out, &out), kong.Exit(func(int) { panic(ended) }))
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, ended) {
				t.Errorf("help did not end the program: %v", err)
			}
		}()
		_, _ = parser.Parse([]string{"--help"}) // ends in the panic above
	}()
	for _, s := range settings.All() {
		if !strings.Contains(out.String(), "--"+s.Flag) || !strings.Contains(out.String(), "$"+s.Name) {
			t.Errorf("help does not name %s", s.Name)
		}
	}
	if testing.Verbose() {
		t.Log("\n" + out.String())
	}
}

func TestUnknownNamesAreFound(t *testing.T) {
	got := settings.Unknown([]string{
		"GOCHAT_LISTN=:1", "GOCHAT_LISTEN=:1", "PATH=/bin", "GOCHAT_SERVICE_HOST=10.0.0.1", "GOCHAT_SERVICE_PORT_HTTP=80",
		"GOCHAT_PORT=tcp://10.0.0.1:80", "GOCHAT_PORT_80_TCP_ADDR=10.0.0.1", "GOCHAT_REDIS_PORT_6379_TCP=x",
	})
	if !slices.Equal(got, []string{"GOCHAT_LISTN"}) {
		t.Errorf("got %q", got)
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "15m": 15 * time.Minute, "0d": 0, "0s": 0, "1h30m": 90 * time.Minute,
	} {
		if got, err := settings.ParseDuration(in); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "d", "30", "-1s", "-1d", "1d-1h", "99999999d", "1d1d", "1.5d", "106751d24h", "30 d"} {
		if got, err := settings.ParseDuration(in); err == nil {
			t.Errorf("%q was read as %v", in, got)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"30d", "1d12h", "15m", "-1s", "106751d23h59m", "9999999999d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		d, err := settings.ParseDuration(in)
		if err != nil {
			return
		}
		if d < 0 {
			t.Errorf("%q is negative: %v", in, d)
		}
		if again, err := settings.ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%q: %v written and read again is %v, %v", in, d, again, err)
		}
	})
}

func FuzzParseRate(f *testing.F) {
	for _, seed := range []string{"10/m", "10/s", "0", "0/s", "100/h", "1/", "/s", "1000001/s", "-1/s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := settings.ParseRate(in)
		if err != nil {
			return
		}
		if again, err := settings.ParseRate(r.String()); err != nil || again != r {
			t.Errorf("%q: %v written and read again is %v, %v", in, r, again, err)
		}
		if (r.N == 0) != (r.Limit() == 0) || r.Limit() < 0 {
			t.Errorf("%q: limit %v of %+v", in, r.Limit(), r)
		}
	})
}

func TestEnvironIsReadAsItWasWritten(t *testing.T) {
	written := settings.Flags{
		Listen: ":8081", PostgresURL: "postgres://a:b@c:5432/d", RedisURL: "redis://e:6379", Guests: "true",
		Registration: string(settings.RegistrationClosed), Drain: "61s", TrustedProxies: "10.0.0.0/8,192.168.0.0/16",
	}
	var read cli
	parser, err := kong.New(&read)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range written.Environ() {
		t.Setenv(v.Name, v.Value)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	want, err := written.Server()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read.Server(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v; written %+v", got, err, want)
	}
	if got := (settings.Flags{}).Environ(); got != nil {
		t.Errorf("settings that say nothing are written as %v", got)
	}
}
