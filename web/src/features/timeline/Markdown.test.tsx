import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import attacks from '../../../test/attacks.json'
import { Markdown } from './Markdown'

const html = (text: string) =>
  renderToStaticMarkup(<Markdown text={text} />)
    .replaceAll(/<p class="[^"]*">/g, '<p>')
    .replace(/^<div[^>]*>/, '')
    .replace(/<\/div>$/, '')

test.each([
  ['plain words', '<p>plain words</p>'],
  ['two\nlines', '<p>two\nlines</p>'],
  ['two\n\nparts', '<p>two</p><p>parts</p>'],
  ['**bold** and *italic*', '<p><strong>bold</strong> and <em>italic</em></p>'],
  ['~~gone~~', '<p><del>gone</del></p>'],
  ['`code`', '<p><code>code</code></p>'],
  ['> said', '<blockquote><p>said</p></blockquote>'],
  ['- one\n- two', '<ul><li>one</li><li>two</li></ul>'],
  ['- one\n\n- two', '<ul><li><p>one</p></li><li><p>two</p></li></ul>'],
  ['- one\n  - *two*', '<ul><li>one<ul><li><em>two</em></li></ul></li></ul>'],
  ['1. one', '<ol><li>one</li></ol>'],
  ['3. one', '<ol start="3"><li>one</li></ol>'],
  ['one\n\n---\n\ntwo', '<p>one</p><hr/><p>two</p>'],
  ['one\\\ntwo', '<p>one<br/>\ntwo</p>'],
  ['`one\ntwo`', '<p><code>one two</code></p>'],
  ['a <b>c</b>', '<p>a &lt;b&gt;c&lt;/b&gt;</p>'],
  ['<div>\na\n</div>', '<p>&lt;div&gt;<br/>\na<br/>\n&lt;/div&gt;</p>'],
  ['*a*\nb', '<p><em>a</em><br/>\nb</p>'],
])('%j', (text, expected) => {
  expect(html(text)).toBe(expected)
})

test.each([
  ['![a cat](https://example.com/cat.png)', ['a cat', 'https://example.com/cat.png']],
  ['[todo]: milk', ['[todo]: milk']],
  ['[](https://example.com/a)', ['>https://example.com/a<']],
])('nothing that was written vanishes: %j', (text, shown) => {
  for (const part of shown) expect(html(text)).toContain(part)
})

test.each(['-', '+', '*', '>', '#', '1.', '7)', '---', '***', '- - -', '```', '~~~', '` `', '> > -', '- >', '- ---', '> ---', '---\n\n***'])(
  'a message without a word is shown as it was written: %j',
  (text) => {
    expect(html(text)).toBe(`<p>${text.replaceAll('>', '&gt;')}</p>`)
  },
)

test.each([
  ['-\n\nyes', '<p>-</p><p>yes</p>'],
  ['yes\n>', '<p>yes</p><p>&gt;</p>'],
  ['- a\n- >', '<ul><li>a</li><li>&gt;</li></ul>'],
  ['- a\n- #\n- ', '<ul><li>a</li><li>#</li><li></li></ul>'],
  ['> a\n>\n> #', '<blockquote><p>a</p><p>#</p></blockquote>'],
  ['```\n\n```', '<p>```<br/>\n<br/>\n```</p>'],
  ['a\n\n```\n```', '<p>a</p><p>```<br/>\n```</p>'],
])('a block without a word is shown as it was written: %j', (text, expected) => {
  expect(html(text)).toBe(expected)
})

test.each([
  ['&lt;b&gt; &amp; &copy; **x**', '<p>&amp;lt;b&amp;gt; &amp;amp; &amp;copy; <strong>x</strong></p>'],
  ['[x](https://example.com/?a=1&copy=2)', 'href="https://example.com/?a=1&amp;copy=2"'],
])('names of characters are shown as they were written: %j', (text, shown) => {
  expect(html(text)).toContain(shown)
})

const words = (text: string) => html(text).replaceAll(/<svg.*?<\/svg>/g, '[icon]').replaceAll(/ (target|rel|title)="[^"]*"/g, '')

test.each([
  ['![a cat](https://example.com/cat.png)', '<p><a href="https://example.com/cat.png">[icon] a cat</a></p>'],
  ['so: ![a **fat** cat](https://example.com/cat.png "Tom")!', '<p>so: <a href="https://example.com/cat.png">[icon] a fat cat</a>!</p>'],
  ['![](https://example.com/cat.png)', '<p><a href="https://example.com/cat.png">[icon] https://example.com/cat.png</a></p>'],
  ['[*![a cat](https://example.com/cat.png)*](https://example.com)', '<p><a href="https://example.com"><em>a cat</em></a></p>'],
  ['![x](javascript:alert(1))', '<p>![x](javascript:alert(1))</p>'],
  ['Stop! [x](https://example.com) ![todo] !\\[x](y)', '<p>Stop! <a href="https://example.com">x</a> ![todo] ![x](y)</p>'],
])('a picture is a link, and is not loaded: %j', (text, expected) => {
  expect(words(text)).toBe(expected)
})

test('the link to a picture says what it is and where it opens', () => {
  const made = html('![a cat](https://example.com/cat.png)')
  expect(made).toContain('target="_blank" rel="noopener noreferrer nofollow" title="A picture: it opens in a new tab"')
  expect(made).toMatch(/<svg[^>]* role="img" aria-label="Picture:"/)
  expect(made).not.toContain('<img')
})

test.each(['javascript:alert(1)', 'data:text/html,x', 'xmpp:a@example.com', 'irc://foo', '/rooms/x', '#', ''])(
  'a link to %j leads nowhere and is shown as it was written',
  (target) => {
    expect(html(`see [*x*](${target}) and **this**`)).toBe(`<p>see [*x*](${target}) and <strong>this</strong></p>`)
    expect(html(`- ![x](${target})`)).toBe(`<ul><li>![x](${target})</li></ul>`)
  },
)

test('one in angle brackets is too', () => {
  expect(html('<irc://foo>')).toBe('<p>&lt;irc://foo&gt;</p>')
})

test("a message's headings stand below the page's", () => {
  expect(html('# a')).toBe('<h3>a</h3>')
  expect(html('###### a')).toBe('<h6>a</h6>')
})

test('code blocks keep their text', () => {
  expect(html('```js\nlet a = "<b>"\n```')).toBe(
    '<pre><code class="language-js">let a = &quot;&lt;b&gt;&quot;\n</code></pre>',
  )
})

test.each(['https://example.com/a', 'see www.example.com now', '[words](https://example.com)', 'mail a@example.com'])(
  '%j becomes a link that tells nothing and takes nothing over',
  (text) => {
    expect(html(text)).toMatch(/<a href="(https?:\/\/|mailto:)[^"]+" target="_blank" rel="noopener noreferrer nofollow">/)
  },
)

// The same list is written into a room, and opened in a browser, by test/e2e/safety.test.mjs.
test.each(attacks)('%j does no harm', (text) => {
  const made = html(text)
  const tags = [...made.matchAll(/<(\w+)((?:\s[^>]*)?)>/g)]
  for (const [, name, attributes] of tags) {
    expect(['p', 'a', 'strong', 'em', 'del', 'code', 'pre', 'br', 'blockquote', 'ul', 'li', 'h3']).toContain(name)
    expect(attributes).not.toMatch(/\s(on\w+|src|style|id|formaction|action)=/i)
    expect(attributes).not.toMatch(/href="(?!https?:|mailto:|")/i)
  }
})

test.each(['🎉', '👍🏽 ❤️', '👩‍💻🇫🇮👀'])('up to three emoji and nothing else are large: %s', (text) => {
  expect(renderToStaticMarkup(<Markdown text={text} />)).toContain('large')
})

test.each(['🎉 done', '1', '#', '👍👍👍👍', ' '])('everything else is not: %j', (text) => {
  expect(renderToStaticMarkup(<Markdown text={text} />)).not.toContain('large')
})
