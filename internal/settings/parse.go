package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// serviceLink matches what Kubernetes puts into the environment for services whose name starts with gochat.
var serviceLink = regexp.MustCompile(`^GOCHAT_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)$`)

// toggle is a yes or no that is checked with all the rest, not by the parser of the command line, which
// would stop at the first fault. Alone on the command line it means yes.
type toggle string

// Decode implements kong.MapperValue.
func (t *toggle) Decode(ctx *kong.DecodeContext) error {
	*t = "true"
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		*t = toggle(ctx.Scan.Pop().String())
	}
	return nil
}

// IsBool implements kong.BoolMapperValue.
func (*toggle) IsBool() bool { return true }

// FaultsError is everything that is wrong with the settings.
type FaultsError struct {
	Faults []string // each names the setting, the value, and what to do
}

func (e *FaultsError) Error() string {
	if len(e.Faults) == 1 {
		return "a setting is wrong: " + e.Faults[0]
	}
	return fmt.Sprintf("%d settings are wrong:\n  %s", len(e.Faults), strings.Join(e.Faults, "\n  "))
}

// Server checks the settings. The error, a *FaultsError, lists every fault at once.
func (f Flags) Server() (Server, error) {
	p := parser{raw: f.values()}
	s := Server{
		Listen:          take(&p, "LISTEN", address),
		AdminListen:     take(&p, "ADMIN_LISTEN", address),
		DataDir:         take(&p, "DATA_DIR", directory),
		PostgresURL:     take(&p, "POSTGRES_URL", postgresURL),
		RedisURL:        take(&p, "REDIS_URL", redisURL),
		PublicURL:       take(&p, "PUBLIC_URL", publicURL),
		AllowedOrigins:  take(&p, "ALLOWED_ORIGINS", listOf(Origin)),
		Web:             take(&p, "WEB", oneOf(WebEmbedded, WebNone)),
		Registration:    take(&p, "REGISTRATION", oneOf(RegistrationOpen, RegistrationInvite, RegistrationClosed)),
		Guests:          take(&p, "GUESTS", yesOrNo),
		JWTKeysFile:     p.text("JWT_KEYS_FILE"),
		AccessTokenTTL:  take(&p, "ACCESS_TOKEN_TTL", positive),
		RefreshTokenTTL: take(&p, "REFRESH_TOKEN_TTL", positive),
		AuthRate:        take(&p, "AUTH_RATE", ParseRate),
		SendRate:        take(&p, "SEND_RATE", ParseRate),
		MaxConnections:  take(&p, "MAX_CONNECTIONS", count),
		Drain:           take(&p, "DRAIN", ParseDuration),
		TrustedProxies:  take(&p, "TRUSTED_PROXIES", listOf(network)),
		PPROF:           take(&p, "PPROF", yesOrNo),
		LogLevel:        take(&p, "LOG_LEVEL", logLevel),
		LogFormat:       take(&p, "LOG_FORMAT", oneOf(LogAuto, LogText, LogJSON)),
	}
	p.checkTogether(&s)
	if len(p.faults) > 0 {
		return Server{}, &FaultsError{Faults: p.faults}
	}
	return s, nil
}

// values are the settings by their names without the prefix, with the defaults in place of empty ones.
func (f Flags) values() map[string]string {
	values := make(map[string]string)
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		value := strings.TrimSpace(v.Field(i).String())
		if value == "" {
			value = tag.Get("default")
		}
		values[strings.TrimPrefix(tag.Get("env"), Prefix)] = value
	}
	return values
}

// parser reads the raw settings and gathers what is wrong with them.
type parser struct {
	raw    map[string]string
	bad    map[string]bool
	faults []string
}

func (p *parser) text(name string) string { return p.raw[name] }

func (p *parser) fault(name, what string) {
	if p.bad == nil {
		p.bad = make(map[string]bool)
	}
	p.bad[name] = true
	p.faults = append(p.faults, Prefix+name+" "+what)
}

// hiddenError marks a fault of a value that may hold a password, so that it is not repeated in a log.
type hiddenError struct{ error }

func take[T any](p *parser, name string, parse func(string) (T, error)) T {
	value, err := parse(p.raw[name])
	if err == nil {
		return value
	}
	if _, hidden := errors.AsType[hiddenError](err); hidden {
		p.fault(name, err.Error())
	} else {
		p.fault(name, fmt.Sprintf("is %q: %v", p.raw[name], err))
	}
	var zero T
	return zero
}

// checkTogether looks at what only several settings together can get wrong.
func (p *parser) checkTogether(s *Server) {
	if !p.bad["ACCESS_TOKEN_TTL"] && !p.bad["REFRESH_TOKEN_TTL"] && s.AccessTokenTTL >= s.RefreshTokenTTL {
		p.fault("REFRESH_TOKEN_TTL", fmt.Sprintf("is %q: it must be longer than %sACCESS_TOKEN_TTL (%s)",
			p.raw["REFRESH_TOKEN_TTL"], Prefix, p.raw["ACCESS_TOKEN_TTL"]))
	}
	if s.RedisURL != "" && p.raw["POSTGRES_URL"] == "" {
		p.fault("REDIS_URL", fmt.Sprintf("is set and %sPOSTGRES_URL is not: nodes that share a Redis must share a database", Prefix))
	}
	_, port, _ := net.SplitHostPort(s.Listen)
	if !p.bad["LISTEN"] && !p.bad["ADMIN_LISTEN"] && s.Listen == s.AdminListen && port != "0" {
		p.fault("ADMIN_LISTEN", fmt.Sprintf("is %q: it must not be the public address, metrics and pprof are not for everybody", s.AdminListen))
	}
}

func address(v string) (string, error) {
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", errors.New("give host:port, or :port for every interface, such as :8080")
	}
	return v, nil
}

func directory(v string) (string, error) {
	if strings.ContainsRune(v, 0) {
		return "", errors.New("give the path of a directory")
	}
	return v, nil
}

func postgresURL(v string) (string, error) {
	u, err := url.Parse(v)
	switch {
	case v == "", err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql"):
		return v, nil
	case strings.Contains(v, "host=") || strings.Contains(v, "dbname="): // libpq's keyword form
		return v, nil
	default:
		return "", hiddenError{errors.New("is not a Postgres URL: give postgres://user:password@host:5432/database, or nothing for SQLite")}
	}
}

func redisURL(v string) (string, error) {
	u, err := url.Parse(v)
	if v == "" || (err == nil && u.Host != "" && (u.Scheme == "redis" || u.Scheme == "rediss")) {
		return v, nil
	}
	return "", hiddenError{errors.New("is not a Redis URL: give redis://host:6379/0, rediss:// for TLS, or nothing for a single node")}
}

func publicURL(v string) (*url.URL, error) {
	if v == "" {
		return nil, nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("give scheme and host, such as https://chat.example.com")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// Origin reads a web origin (RFC 6454): scheme://host, with a port where it is not the scheme's own.
func Origin(v string) (string, error) {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("give origins such as https://app.example.com, with commas between them")
	}
	host := strings.ToLower(u.Host)
	if (u.Scheme == "http" && u.Port() == "80") || (u.Scheme == "https" && u.Port() == "443") {
		host = strings.TrimSuffix(host, ":"+u.Port())
	}
	return u.Scheme + "://" + host, nil
}

func listOf[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(v string) ([]T, error) {
		var list []T
		for _, item := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			value, err := parse(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	}
}

func oneOf[T ~string](values ...T) func(string) (T, error) {
	return func(v string) (T, error) {
		names := make([]string, 0, len(values))
		for _, value := range values {
			if strings.EqualFold(v, string(value)) {
				return value, nil
			}
			if value != "" {
				names = append(names, string(value))
			}
		}
		return "", errors.New("choose one of " + strings.Join(names, ", "))
	}
}

func yesOrNo(v string) (bool, error) {
	b, err := strconv.ParseBool(strings.ToLower(v))
	if err != nil {
		return false, errors.New("say true or false")
	}
	return b, nil
}

func count(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, errors.New("give a whole number, 0 for no limit")
	}
	return n, nil
}

func network(v string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(v); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(v)
	if err != nil {
		return netip.Prefix{}, errors.New("give addresses or networks such as 10.0.0.0/8, with commas between them")
	}
	return prefix.Masked(), nil
}

func logLevel(v string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(v)); err != nil {
		return 0, errors.New("choose one of debug, info, warn, error")
	}
	return level, nil
}

func positive(v string) (time.Duration, error) {
	d, err := ParseDuration(v)
	if err == nil && d <= 0 {
		err = errDuration
	}
	return d, err
}

var errDuration = errors.New("give a length of time such as 90s, 15m, 12h or 30d")

// ParseDuration reads a length of time as Go writes it, with days before it: 30d, 1d12h, 15m. It is never negative.
func ParseDuration(v string) (time.Duration, error) {
	var days time.Duration
	rest := v
	if number, after, found := strings.Cut(v, "d"); found {
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/(24*time.Hour)) {
			return 0, errDuration
		}
		days, rest = time.Duration(n)*24*time.Hour, after
		if rest == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || days+d < 0 {
		return 0, errDuration
	}
	return days + d, nil
}

var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

const maxRate = 1_000_000

// ParseRate reads a rate: so many per second, minute, hour or day (10/s, 10/m, 100/h), or 0 for no limit.
func ParseRate(v string) (Rate, error) {
	number, unit, divided := strings.Cut(v, "/")
	n, err := strconv.ParseUint(number, 10, 32)
	per, known := rateUnits[unit]
	switch {
	case err != nil || n > maxRate || divided != known:
		return Rate{}, errors.New("give so many per second, minute or hour, such as 10/s, 10/m or 100/h, or 0 for no limit")
	case n == 0:
		return Rate{}, nil
	case !divided:
		return Rate{}, errors.New("say per what: 10/s, 10/m or 100/h")
	default:
		return Rate{N: int(n), Per: per}, nil
	}
}
