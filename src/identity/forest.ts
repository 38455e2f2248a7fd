/** Leaves joined to profiles. The oldest leaf of a profile is its root, whatever order the merges came in. */
import { nameWords } from './names.ts'
import { isOlder } from './roots.ts'
import type { Leaf } from './world.ts'

export interface Tree {
  readonly root: Leaf
  readonly members: readonly string[]
  readonly emails: number
  readonly phones: number
  /** Ids that vendors gave, per connection. */
  readonly vendorIds: ReadonlyMap<string, number>
  readonly names: readonly (readonly string[])[]
  /** Leaves that a person has parted from one in here. */
  readonly blocked: readonly string[]
}

export interface Forest {
  of(leafId: string): Tree
  add(leaf: Leaf): void
  /** Another name or count of a leaf that is in here. */
  change(before: Leaf, after: Leaf): void
  /** @returns what was kept and what came to it. */
  join(a: Tree, b: Tree): { readonly kept: Leaf; readonly merged: Leaf }
  rootOf(leafId: string): string
  isParted(a: Tree, b: Tree): boolean
}

export function createForest(leaves: Iterable<Leaf>): Forest {
  const trees = new Map<string, Tree>()
  /** Leaf to the key of its tree in `trees`. */
  const treeOf = new Map<string, string>()
  const isIn = (tree: Tree, leafId: string) => treeOf.get(leafId) === treeOf.get(tree.root.id)
  const forest: Forest = {
    of(leafId) {
      const tree = trees.get(treeOf.get(leafId) ?? '')
      if (!tree) throw new Error(`profile ${leafId} is not loaded; load a leaf with all leaves of its root`)
      return tree
    },
    add(leaf) {
      treeOf.set(leaf.id, leaf.id)
      trees.set(leaf.id, single(leaf))
    },
    change(before, after) {
      const key = treeOf.get(after.id) ?? ''
      const tree = forest.of(after.id)
      const gained = before.name === after.name ? [] : [nameWords(after.name)].filter((words) => words.length > 0)
      trees.set(key, {
        ...tree,
        root: tree.root.id === after.id ? after : tree.root,
        emails: tree.emails + after.emails - before.emails,
        phones: tree.phones + after.phones - before.phones,
        names: gained.length === 0 ? tree.names : [...tree.names, ...gained],
      })
    },
    join(a, b) {
      const [large, small] = a.members.length >= b.members.length ? [a, b] : [b, a]
      const [kept, merged] = isOlder(a.root, b.root) ? [a.root, b.root] : [b.root, a.root]
      const key = treeOf.get(large.root.id) ?? ''
      trees.delete(treeOf.get(small.root.id) ?? '')
      trees.set(key, { ...joined(large, small), root: kept })
      for (const id of small.members) treeOf.set(id, key)
      return { kept, merged }
    },
    rootOf: (leafId) => forest.of(leafId).root.id,
    isParted: (a, b) => a.blocked.some((id) => isIn(b, id)) || b.blocked.some((id) => isIn(a, id)),
  }
  const all = [...leaves]
  for (const leaf of all) forest.add(leaf)
  for (const leaf of all) if (leaf.rootId !== leaf.id) forest.join(forest.of(leaf.rootId), forest.of(leaf.id))
  return forest
}

function single(leaf: Leaf): Tree {
  const words = nameWords(leaf.name)
  return {
    root: leaf,
    members: [leaf.id],
    emails: leaf.emails,
    phones: leaf.phones,
    vendorIds: new Map(leaf.vendor === null ? [] : [[leaf.vendor, 1]]),
    names: words.length === 0 ? [] : [words],
    blocked: leaf.blocked,
  }
}

function joined(large: Tree, small: Tree): Omit<Tree, 'root'> {
  return {
    members: [...large.members, ...small.members],
    emails: large.emails + small.emails,
    phones: large.phones + small.phones,
    vendorIds: addCounts(large.vendorIds, small.vendorIds),
    names: [...large.names, ...small.names],
    blocked: small.blocked.length === 0 ? large.blocked : [...large.blocked, ...small.blocked],
  }
}

function addCounts(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sum = new Map(a)
  for (const [key, count] of b) sum.set(key, (sum.get(key) ?? 0) + count)
  return sum
}
