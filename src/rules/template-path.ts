/** Which paths a template may read: the tree of what a rule sees, as names. */
import { fieldNames, nearestField } from './field.ts'
import type { Issue } from './issue.ts'
import type { ApprovalView, CaseView, MessageView, ProfileView, RuleContext } from './plan.ts'

/** `value`: ends here. `list`: an index, or first, last, size. `open`: names that the company chooses. */
type Node = 'value' | 'list' | 'open' | { readonly [name: string]: Node }

const caseNode = {
  id: 'value',
  subject: 'value',
  status: 'value',
  priority: 'value',
  channel: 'value',
  tags: 'list',
  team: 'value',
  assignee: { name: 'value', email: 'value' },
  custom: 'open',
  url: 'value',
  connection: 'value',
  connector: 'value',
  created_at: 'value',
  updated_at: 'value',
  solved_at: 'value',
} as const satisfies Record<keyof CaseView, Node>

const profileNode = {
  id: 'value',
  name: 'value',
  emails: 'list',
  phones: 'list',
  locale: 'value',
  traits: 'open',
  company: 'open',
  open_cases: 'value',
} as const satisfies Record<keyof ProfileView, Node>

const root = {
  event: { type: 'value', changes: 'open', connection: 'value', at: 'value' },
  case: caseNode,
  profile: profileNode,
  message: { visibility: 'value', author: 'value', text: 'value' } satisfies Record<keyof MessageView, Node>,
  rating: { scale: 'value', score: 'value', comment: 'value' },
  approval: { question: 'value', decision: 'value', by: 'value' } satisfies Record<keyof ApprovalView, Node>,
} as const satisfies Record<keyof RuleContext, Node>

const allPaths = pathsOf(root, '')

function pathsOf(node: Node, prefix: string): string[] {
  if (typeof node === 'string') return node === 'open' ? [] : [prefix]
  return Object.entries(node).flatMap(([name, child]) => pathsOf(child, prefix === '' ? name : `${prefix}.${name}`))
}

/** @param path one entry for each part; `null` where another variable chooses it. */
export function templatePathProblem(
  path: readonly (string | number | null)[],
): Pick<Issue, 'message' | 'hint'> | undefined {
  let node: Node = root
  for (const [index, part] of path.entries()) {
    const last = index === path.length - 1
    if (node === 'open') return undefined
    if (node === 'value') return last && part === 'size' ? undefined : unknownPath(path)
    if (node === 'list') {
      const known = part === null || typeof part === 'number' || part === 'first' || part === 'last' || part === 'size'
      if (!known) return unknownPath(path)
      node = 'value'
      continue
    }
    if (part === null) {
      return { message: `"${written(path)}" picks a field by a variable`, hint: 'name the field: case.subject' }
    }
    const child: Node | undefined = typeof part === 'string' && Object.hasOwn(node, part) ? node[part] : undefined
    if (child === undefined) return unknownPath(path)
    node = child
  }
  return undefined
}

function unknownPath(path: readonly (string | number | null)[]): Pick<Issue, 'message' | 'hint'> {
  const name = written(path)
  const near = nearestField(name, [...new Set([...allPaths, ...fieldNames, ...Object.keys(root)])])
  return {
    message: `"${name}" is not a field that templates can read`,
    ...(near ? { hint: `did you mean "${near}"?` } : {}),
  }
}

function written(path: readonly (string | number | null)[]): string {
  return path.map((part, index) => (part === null ? '[…]' : index === 0 ? part : `.${part}`)).join('')
}
