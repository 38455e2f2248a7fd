/** Mail providers open to everybody: their domain says nothing about a person's company. */
const domains = new Set(
  `126.com 163.com aol.com att.net bellsouth.net bt.com btinternet.com comcast.net cox.net duck.com fastmail.com fastmail.fm
  free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.es gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com
  hotmail.de hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com inbox.com laposte.net libero.it live.co.uk live.com
  live.fr live.nl mac.com mail.com mail.ru me.com msn.com naver.com orange.fr outlook.com outlook.de outlook.es outlook.fr
  pm.me proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com sbcglobal.net seznam.cz sfr.fr
  sina.com sky.com t-online.de talktalk.net telefonica.net terra.com terra.es tuta.com tutanota.com uol.com.br verizon.net
  virginmedia.com virgilio.it wanadoo.es wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com
  yahoo.com.ar yahoo.com.br yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ya.ru ymail.com zoho.com`.split(
    /\s+/,
  ),
)

export function isFreeMail(domain: string): boolean {
  return domains.has(domain)
}
