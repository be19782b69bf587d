package httpapi_test

import (
	"testing"

	"github.com/gochat-dev/gochat/internal/auth"
)

// What is said before logging in is what registering and coming as a guest then answer.
func TestInstanceSaysWhichWaysInThereAre(t *testing.T) {
	for name, c := range map[string]struct {
		cfg             serverConfig
		registration    string
		register, guest int
	}{
		"as it is":        {serverConfig{}, "open", 201, 403},
		"with guests":     {serverConfig{guests: true}, "open", 201, 201},
		"by invite":       {serverConfig{registration: auth.Invite}, "invite", 403, 403},
		"closed":          {serverConfig{registration: auth.Closed}, "closed", 403, 403},
		"guests only":     {serverConfig{registration: auth.Closed, guests: true}, "closed", 403, 201},
		"said to be open": {serverConfig{registration: auth.Open}, "open", 201, 403},
	} {
		t.Run(name, func(t *testing.T) {
			p := newServer(t, c.cfg).nobody()
			got := p.do("GET", "/instance", nil).expect(200).object()
			if got["registration"] != c.registration || got["guests"] != c.cfg.guests || len(got) != 2 {
				t.Errorf("%v", got)
			}
			p.do("POST", "/auth/register", `{"username":"alice","password":"`+password+`"}`).expect(c.register)
			p.do("POST", "/auth/guest", `{"display_name":"Guest"}`).expect(c.guest)
		})
	}
}
