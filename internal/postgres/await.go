package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gochat-dev/gochat/internal/chat"
)

// awaitEvery is how long Await lets a database be between two tries.
const awaitEvery = time.Second

// Await waits until a database takes connections. It gives up when ctx ends, and at once where waiting won't help: a password that is
// refused, a database that is not there, TLS that it does not speak as it is asked to. Each try that was in vain, and is followed by another one, is told.
func Await(ctx context.Context, url string, tell func(error)) error {
	cfg, err := parse(url)
	if err != nil {
		return err
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	var last error
	for {
		err := withConn(ctx, cfg, func(*pgx.Conn) error { return nil })
		if err == nil || !mayCome(err) {
			return err
		}
		if ctx.Err() == nil || last == nil { // what is cut off by the end of ctx says less than the try before
			last = err
		}
		if ctx.Err() == nil {
			tell(err)
		}
		select {
		case <-time.After(awaitEvery):
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w", last)
		}
	}
}

// isOtherTLS says whether it answers, and will not speak TLS as the URL asks for: it has none, or nobody vouches for it.
func isOtherTLS(err error) bool {
	if _, unverified := errors.AsType[*tls.CertificateVerificationError](err); unverified {
		return true
	}
	return strings.Contains(err.Error(), "server refused TLS connection") // pgconn has no type for it
}

// mayCome says whether a database that can't be connected to may do so by itself later: nobody answers, its name is not known yet, it
// is starting or stopping, or it has no connection to spare.
func mayCome(err error) bool {
	if !errors.Is(err, chat.ErrUnavailable) || isOtherTLS(err) {
		return false
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); !answered {
		return true
	}
	return strings.HasPrefix(code(err), "57") || strings.HasPrefix(code(err), classResources)
}
