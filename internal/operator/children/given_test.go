package children

import "testing"

func TestGivenSum(t *testing.T) {
	cluster := chat(t, `database: {type: External, external: {secretName: pg}}`)
	known := func(own string) Known {
		return Known{Secrets: map[string]map[string][]byte{AdminName(cluster.Name): {keyPassword: []byte(own)}}}
	}
	pg := Given{Secret: "pg", Key: "uri"}
	sum := known("a").GivenSum(cluster, map[Given][]byte{pg: []byte("one")})
	switch {
	case sum == known("a").GivenSum(cluster, map[Given][]byte{pg: []byte("two")}):
		t.Error("other contents make no difference")
	case sum == known("b").GivenSum(cluster, map[Given][]byte{pg: []byte("one")}):
		t.Error("[OP12] passwords can be tried on what stands in the pods")
	case sum != known("a").GivenSum(cluster, map[Given][]byte{pg: []byte("one"), {Secret: "other"}: nil}):
		t.Error("what it does not name makes a difference")
	}
	if refs := GivenTo(chat(t, `{}`)); len(refs) > 0 {
		t.Errorf("it names %v", refs)
	}
}
