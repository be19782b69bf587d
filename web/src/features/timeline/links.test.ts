import { expect, test } from 'vitest'
import { linkTo, placeOf } from './links'

const HERE = 'https://chat.example.com'

test('a link to a message leads back to it', () => {
  expect(placeOf(linkTo(HERE, 'r1', 42), HERE)).toEqual({ roomId: 'r1', at: 42 })
})

test.each([
  [`${HERE}/rooms/r1`, { roomId: 'r1', at: undefined }],
  [`${HERE}/rooms/r1?at=none`, { roomId: 'r1', at: undefined }],
  [`${HERE}/rooms/r1?at=-3`, { roomId: 'r1', at: undefined }],
  [`${HERE}/rooms/r1/more`, undefined],
  [`${HERE}/rooms/%zz`, undefined],
  [`${HERE}/rooms/%`, undefined],
  [`${HERE}/rooms/a%20b`, { roomId: 'a b', at: undefined }],
  [`${HERE}/invite/abc`, undefined],
  ['https://chat.example.org/rooms/r1?at=42', undefined],
  ['http://chat.example.com/rooms/r1?at=42', undefined],
  ['not a link', undefined],
  ['', undefined],
])('%s', (href, place) => {
  expect(placeOf(href, HERE)).toEqual(place)
})
