/** HTML of a mail as the hub keeps it: nothing in it runs, asks for anything, or is fetched from anywhere. */
import sanitizeHtml from 'sanitize-html'

const colour = /^(#[0-9a-f]{3,8}|[a-z]{3,20}|rgba?\([\d\s,.%/]{1,40}\))$/i
const length = /^-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|%)?$/
const lengths = /^(-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|%)?|auto)( (-?\d{1,4}(\.\d{1,3})?(px|pt|em|rem|%)?|auto)){0,3}$/

const options: sanitizeHtml.IOptions = {
  allowedTags: [
    'a abbr address article b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em',
    'figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section small',
    'span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr',
  ].flatMap((line) => line.split(' ')),
  allowedAttributes: {
    '*': ['style', 'dir', 'lang', 'title', 'align', 'valign'],
    a: ['href', 'rel', 'target'],
    font: ['color', 'size', 'face'],
    img: ['src', 'alt', 'width', 'height'],
    ol: ['start', 'type'],
    table: ['width', 'border', 'cellpadding', 'cellspacing', 'bgcolor'],
    td: ['colspan', 'rowspan', 'width', 'bgcolor'],
    th: ['colspan', 'rowspan', 'width', 'bgcolor', 'scope'],
    tr: ['bgcolor'],
  },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  // Only pictures that came with the mail: any other tells its sender who read it, where and when.
  allowedSchemesByTag: { img: ['cid'] },
  allowedSchemesAppliedToAttributes: ['href', 'src'],
  allowProtocolRelative: false,
  allowedStyles: {
    '*': {
      color: [colour],
      'background-color': [colour],
      'font-weight': [/^(normal|bold|bolder|lighter|[1-9]00)$/],
      'font-style': [/^(normal|italic|oblique)$/],
      'font-size': [length, /^(xx?-small|small|medium|large|xx?-large)$/],
      'font-family': [/^[\w\s"',-]{1,200}$/],
      'line-height': [length, /^normal$/],
      'text-align': [/^(left|right|center|justify)$/],
      'text-decoration': [/^(none|underline|line-through)$/],
      'white-space': [/^(normal|nowrap|pre|pre-wrap)$/],
      'vertical-align': [/^(top|middle|bottom|baseline)$/],
      margin: [lengths],
      padding: [lengths],
      width: [length],
      border: [/^[\w\s#.%]{1,60}$/],
    },
  },
  nonTextTags: ['script', 'style', 'textarea', 'option', 'noscript', 'title', 'head', 'xmp', 'template', 'svg', 'math'],
  transformTags: {
    a: (tagName, attribs) => ({
      tagName,
      attribs: { ...attribs, rel: 'noopener noreferrer nofollow', target: '_blank' },
    }),
  },
  // A picture whose address went is an empty frame.
  exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !attribs['src'],
  nestingLimit: 200,
}

export function sanitiseHtml(html: string): string {
  return sanitizeHtml(html, options).trim()
}
