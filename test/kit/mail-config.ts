/** The settings of the mail servers that tests run: dovecot 2.3 and postfix, on loopback, below one folder. Pure. */

export interface MailLayout {
  readonly folder: string
  readonly domains: readonly string[]
  readonly hostname: string
  readonly ports: {
    readonly imap: number
    readonly imaps: number
    readonly lmtp: number
    readonly smtp: number
    readonly smtps: number
  }
}

/** Owner of the mailboxes: no user of the machine. */
export const mailOwner = { uid: 5000, gid: 5000 }

export function dovecotConfig({ folder, hostname, ports }: MailLayout): string {
  return `
base_dir = ${folder}/dovecot/run
state_dir = ${folder}/dovecot/state
log_path = ${folder}/dovecot/log
protocols = imap lmtp
listen = 127.0.0.1
hostname = ${hostname}
postmaster_address = postmaster@${hostname}
ssl = yes
ssl_cert = <${folder}/tls/server.pem
ssl_key = <${folder}/tls/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = ${mailOwner.uid}
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 100
recipient_delimiter = +
lmtp_hdr_delivery_address = final
passdb {
  driver = passwd-file
  args = ${folder}/dovecot/users
}
userdb {
  driver = passwd-file
  args = ${folder}/dovecot/users
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
}
service imap-login {
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${ports.lmtp}
  }
}
service anvil {
  # Else each wrong password makes all of the next sign-ins wait.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener ${folder}/dovecot/auth-client {
    mode = 0666
  }
}
`
}

/**
 * No mail leaves the machine: other domains are refused at once. Mail to a mailbox that is not there is taken, and comes back
 * as a bounce, as from many servers.
 */
export function postfixMain({ folder, domains, hostname, ports }: MailLayout): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/postfix/queue
data_directory = ${folder}/postfix/data
maillog_file = ${folder}/postfix/log
maillog_file_prefixes = ${folder}
myhostname = ${hostname}
myorigin = ${hostname}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
recipient_delimiter = +
virtual_mailbox_domains = ${domains.join(' ')}
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:${ports.lmtp}
default_transport = error:5.1.2 nothing leaves this machine
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${folder}/dovecot/auth-client
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${folder}/tls/server.pem
smtpd_tls_key_file = ${folder}/tls/server.key
smtpd_relay_restrictions = permit_sasl_authenticated, permit_mynetworks, reject
message_size_limit = 60000000
mailbox_size_limit = 0
smtp_dns_support_level = disabled
`
}

export function postfixMaster({ ports }: MailLayout): string {
  return `
127.0.0.1:${ports.smtp} inet n - n - - smtpd
127.0.0.1:${ports.smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}
