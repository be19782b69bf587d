/** A value that can be watched: what `useSyncExternalStore` reads. The value is replaced, never changed in place. */
export class Store<T> {
  private value: T
  private readonly watchers = new Set<() => void>()

  constructor(initial: T) {
    this.value = initial
  }

  readonly get = (): T => this.value

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  set(next: T): void {
    if (Object.is(next, this.value)) return
    this.value = next
    for (const watcher of this.watchers) watcher()
  }

  update(change: (value: T) => T): void {
    this.set(change(this.value))
  }
}
