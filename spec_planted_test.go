package gochat_test

import "testing"

func TestPlantedSpecFaultsAreReported(t *testing.T) {
	for _, plant := range []plant{
		{name: "none"},
		{
			"a rule without a test", edited("SPEC.md", "**SEQ2** *(planned)*", "**SEQ2**"),
			[]string{"SPEC.md: no test names SEQ2"},
		},
		{
			"a rule that stands there twice", edited("SPEC.md", "**SEQ2** *(planned)*", "**SEQ1**"),
			[]string{"SPEC.md: SEQ1 stands there twice"},
		},
		{
			"a Go test of no rule",
			map[string]string{"internal/chat/x_test.go": "package chat\n\nvar name = \"[SEQ1] [SEQ9] both\"\n"},
			[]string{"internal/chat/x_test.go:3: there is no rule SEQ9"},
		},
		{
			"a web test of no rule",
			map[string]string{"web/src/model/x.test.tsx": "\nit.each([1])(`[SQE1] typo`, () => {})\n"},
			[]string{"web/src/model/x.test.tsx:2: there is no rule SQE1"},
		},
		{
			"a browser test of no rule",
			map[string]string{"test/e2e/story.mjs": "await step(\"[RES9] x\")\n"},
			[]string{"test/e2e/story.mjs:1: there is no rule RES9"},
		},
		{
			"a rule that only the product's code names",
			map[string]string{
				"web/src/model/outbox.test.ts": "", "web/src/model/outbox.ts": "log('[RES5] resent')\n",
				"internal/chat/x.go": "package chat\n\nvar name = \"[RES5] x\"\n",
			},
			[]string{"SPEC.md: no test names RES5"},
		},
		{
			"a rule whose only test is skipped", edited("web/src/model/outbox.test.ts", "test(", "test.skip("),
			[]string{"SPEC.md: no test names RES5"},
		},
		{
			"a rule that a test only prints",
			map[string]string{
				"web/src/model/outbox.test.ts": "", "internal/chat/x_test.go": "package chat\n\nfunc f(t T) { t.Errorf(\"[RES5] lost\") }\n",
			},
			[]string{"SPEC.md: no test names RES5"},
		},
		{
			"a comment about no rule",
			map[string]string{"internal/chat/x.go": "package chat\n\n// f is idempotent (SEQ8).\nfunc f() {}\n"},
			[]string{"internal/chat/x.go:3: there is no rule SEQ8"},
		},
		{
			"a suite that nobody runs", edited("internal/hub/hub_test.go", "go chattest.TestStore(t)", ""),
			[]string{"internal/chattest/suite.go:6: no test runs the suite chattest.TestStore"},
		},
	} {
		t.Run(plant.name, func(t *testing.T) {
			got, err := checkSpec(with(plant.changes))
			if err != nil {
				t.Fatal(err)
			}
			requireFaults(t, got, plant.want)
		})
	}
}

func TestASpecWithoutRulesIsAnError(t *testing.T) {
	if faults, err := checkSpec(with(map[string]string{"SPEC.md": "# Rules\n"})); err == nil {
		t.Errorf("no error, but faults %q", faults)
	}
}
