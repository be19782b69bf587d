/** Deeper than this no chat nests its quotes and lists. */
const DEEPEST = 8

/**
 * More than this of each nobody writes by hand in the 8,000 characters of a message. The parser is slower than linear in every one
 * of them, so that these are what bounds its work.
 */
const MOST: [RegExp, number][] = [
  [/[*_~]/g, 800],
  [/[[\]]/g, 400],
  [/[<>`&\\@]/g, 800],
  [/www\.|https?:/gi, 200],
  [/^[ \t>]*(?:[-+*#=>]|\d{1,9}[.)])/gm, 400],
  [/\n\s*\n/g, 400],
]

/** Whether the parser can be given the text. It is told in one look for each bound, whatever the text is. */
export function isModest(text: string): boolean {
  for (const [marks, most] of MOST) {
    if ((text.match(marks)?.length ?? 0) > most) return false
  }
  return nests(text) <= DEEPEST
}

const QUOTE = / *> ?/y
const MARK = / *(?:>|([-+*]|\d{1,9}[.)])(?=\s|$))/y
const RULE = / *([-*])(?: *\1){2,} *$/y

/** How deep quotes and lists nest in each other: never less than the parser would nest them, and no more than just above the bound. */
function nests(text: string): number {
  let open: number[] = [] // the indentation that goes on with a list's item; 0 is a quote
  let most = 0
  for (const line of text.replaceAll('\t', '    ').split(/\r\n|\n|\r/)) {
    const [goesOn, from] = stillOpen(line, open)
    const more = opened(line, from, DEEPEST + 1 - goesOn)
    if (more.length === 0) continue
    open = [...open.slice(0, goesOn), ...more]
    most = Math.max(most, open.length)
    if (most > DEEPEST) break
  }
  return most
}

/** How many of what is open the line goes on with, and where in it they end. */
function stillOpen(line: string, open: number[]): [number, number] {
  let at = 0
  for (const [index, indent] of open.entries()) {
    if (indent === 0) {
      QUOTE.lastIndex = at
      if (!QUOTE.test(line)) return [index, at]
      at = QUOTE.lastIndex
    } else {
      if (!line.startsWith(' '.repeat(indent), at)) return [index, at]
      at += indent
    }
  }
  return [open.length, at]
}

/** What the line opens from there on, no more than so many. */
function opened(line: string, from: number, most: number): number[] {
  const found: number[] = []
  for (let at = from; found.length < most; at = MARK.lastIndex) {
    RULE.lastIndex = at
    MARK.lastIndex = at
    const mark = RULE.test(line) ? null : MARK.exec(line)
    if (mark === null) break
    found.push(mark[1] === undefined ? 0 : mark[1].length + 1)
  }
  return found
}
