/** The profiles that leaves and the edges between them make (union-find). Pure. */
export interface Aged {
  readonly id: string
  readonly createdAt: Date
}

/** The oldest leaf of a profile is its root, whatever order its merges came in. */
export function isOlder(a: Aged, b: Aged): boolean {
  const [first, second] = [a.createdAt.getTime(), b.createdAt.getTime()]
  return first === second ? a.id < b.id : first < second
}

/** @returns the root of each leaf; edges to leaves that are not given are left out. */
export function rootsOf(
  leaves: readonly Aged[],
  edges: readonly (readonly [string, string])[],
): ReadonlyMap<string, string> {
  const byId = new Map(leaves.map((leaf) => [leaf.id, leaf]))
  const parent = new Map<string, string>()
  const top = (id: string): string => {
    let at = id
    for (let up = parent.get(at); up !== undefined; up = parent.get(at)) at = up
    return at
  }
  for (const [one, other] of edges) {
    const [a, b] = [byId.get(top(one)), byId.get(top(other))]
    if (!a || !b || a === b) continue
    if (isOlder(a, b)) parent.set(b.id, a.id)
    else parent.set(a.id, b.id)
  }
  return new Map(leaves.map(({ id }) => [id, top(id)]))
}
