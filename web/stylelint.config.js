// Colours, sizes and times come from ui/tokens.css; everywhere else they are custom properties.
const tokensOnly = {
  'color-no-hex': true,
  'color-named': 'never',
  'function-disallowed-list': ['rgb', 'rgba', 'hsl', 'hsla', 'oklch', 'lab', 'lch', 'light-dark'],
}

export default {
  extends: ['stylelint-config-standard'],
  rules: {
    'selector-class-pattern': '^[a-z][a-zA-Z0-9]*$',
    'custom-property-empty-line-before': null,
    'declaration-empty-line-before': null,
    'comment-empty-line-before': null,
    'selector-pseudo-class-no-unknown': [true, { ignorePseudoClasses: ['global'] }],
    ...tokensOnly,
  },
  overrides: [
    {
      files: ['src/ui/tokens.css'],
      rules: { 'function-disallowed-list': null },
    },
  ],
}
