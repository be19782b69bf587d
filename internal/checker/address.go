package checker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/session"
)

// Address is where a built server, or a proxy before it, is reached by plain HTTP: host and port.
type Address string

var patient = &http.Client{Timeout: 12 * time.Second}

// Call makes a request of REST and decodes the answer. The status is 0 where there was none.
func (a Address) Call(token, method, path string, in, out any) (status int, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(method, "http://"+string(a)+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := patient.Do(req)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return 0, err
	}
	if res.StatusCode >= 300 {
		return res.StatusCode, fmt.Errorf("%s %s: %s %s", method, path, res.Status, answer)
	}
	if out != nil {
		err = json.Unmarshal(answer, out)
	}
	return res.StatusCode, err
}

// Dial opens a WebSocket as somebody, resuming where they are.
func (a Address) Dial(ctx context.Context, d websocket.Dialer, token, epoch string, resume []session.Resume) (Conn, error) {
	q := url.Values{}
	if epoch != "" {
		q.Set("epoch", epoch)
	}
	for _, r := range resume {
		q.Add("last_received_seq", fmt.Sprintf("%s:%d:%s", r.RoomID, r.At.Seq, r.At.ID))
	}
	d.Subprotocols, d.HandshakeTimeout = []string{"gochat.v1", "gochat.bearer." + token}, 5*time.Second
	conn, res, err := d.DialContext(ctx, "ws://"+string(a)+"/api/v1/ws?"+q.Encode(), nil)
	if res != nil {
		_ = res.Body.Close() // empty after an upgrade
	}
	if err != nil {
		return nil, err
	}
	return &webSocket{conn: conn}, nil
}

// webSocket is a Conn over a real connection.
type webSocket struct {
	conn *websocket.Conn
	once sync.Once
}

// Read implements Conn.
func (w *webSocket) Read() ([]byte, error) {
	_, data, err := w.conn.ReadMessage()
	if end, ok := errors.AsType[*websocket.CloseError](err); ok {
		return nil, &CloseError{Code: end.Code, Reason: end.Text}
	}
	return data, err
}

// Write implements Conn.
func (w *webSocket) Write(message []byte) error {
	return w.conn.WriteMessage(websocket.TextMessage, message)
}

// Close implements Conn.
func (w *webSocket) Close() {
	w.once.Do(func() { _ = w.conn.Close() }) // the connection is over either way
}
