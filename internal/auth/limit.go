package auth

import (
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
)

// maxAddresses is how many addresses a limiter remembers; the one not heard of for longest is forgotten first.
const maxAddresses = 10_000

// limiter gives each address an allowance. A nil limiter allows everything.
type limiter struct {
	limit rate.Limit
	burst int
	what  string // for the count of refusals
	count func(what string)

	mu     sync.Mutex
	byAddr *simplelru.LRU[netip.Prefix, *allowance]
}

// allowance is what one address has left. Guarded by the limiter's mu.
type allowance struct {
	tokens *rate.Limiter
	open   int // attempts under way: they may all turn out to count
}

func newLimiter(what string, limit rate.Limit, burst int, count func(what string)) *limiter {
	if limit == 0 {
		return nil
	}
	byAddr, err := simplelru.NewLRU[netip.Prefix, *allowance](maxAddresses, nil)
	if err != nil {
		panic(err) // impossible: the size is a constant above 0
	}
	return &limiter{limit: limit, burst: max(burst, 1), what: what, count: count, byAddr: byAddr}
}

// network is what counts as one address: of IPv6 the /64, which one household or machine has to itself.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // not an address: all such share one allowance
	}
	return prefix
}

// begin starts an attempt, which the caller ends with the function returned, saying whether it counts. It
// refuses with rate_limited where the allowance would not last if all attempts under way counted.
func (l *limiter) begin(addr netip.Addr) (end func(counts bool), err error) {
	if l == nil {
		return func(bool) {}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	a := l.of(network(addr))
	if missing := float64(a.open+1) - a.tokens.TokensAt(now); missing > 0 {
		l.count(l.what)
		wait := time.Duration(missing / float64(l.limit) * float64(time.Second)).Round(time.Millisecond)
		return nil, &chat.Error{
			Code: chat.CodeRateLimited, Message: "too many attempts from your address: wait a moment",
			RetryAfter: max(wait, time.Millisecond),
		}
	}
	a.open++
	return func(counts bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.open--
		if counts {
			a.tokens.AllowN(time.Now(), 1)
		}
	}, nil
}

// take is an attempt that counts.
func (l *limiter) take(addr netip.Addr) error {
	end, err := l.begin(addr)
	if err == nil {
		end(true)
	}
	return err
}

// of finds or makes an allowance. The caller holds mu.
func (l *limiter) of(addr netip.Prefix) *allowance {
	if a, ok := l.byAddr.Get(addr); ok {
		return a
	}
	a := &allowance{tokens: rate.NewLimiter(l.limit, l.burst)}
	l.byAddr.Add(addr, a)
	return a
}
