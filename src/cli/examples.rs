//! The examples at the end of each command's `--help`.

/// After all commands.
pub(super) const TOP: &str = "\
For packages:
  $ rdsproxy-setup completions bash   (or zsh, fish, powershell, elvish)
  $ rdsproxy-setup man --dir man1

For programs:
  $ rdsproxy-setup schema status";

/// `schema`.
pub(super) const SCHEMA: &str = "\
Examples:
  List the schemas:
  $ rdsproxy-setup schema

  Print the schema of what status prints with --output json:
  $ rdsproxy-setup schema status

  Print the schema of the lines on stderr:
  $ rdsproxy-setup schema event";

/// `completions`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  Write those of bash, for /etc/bash_completion.d or your own .bashrc:
  $ rdsproxy-setup completions bash > rdsproxy-setup.bash

  Those of fish, for ~/.config/fish/completions:
  $ rdsproxy-setup completions fish > rdsproxy-setup.fish";

/// `man`.
pub(super) const MAN: &str = "\
Examples:
  Write a page for every command, for a package:
  $ rdsproxy-setup man --dir man1

  Read the first page without installing it:
  $ rdsproxy-setup man | man -l -";

/// `up`.
pub(super) const UP: &str = "\
Examples:
  Show what would change, and change nothing:
  $ rdsproxy-setup up --db my-instance --dry-run

  Put a proxy in front of the database, and point its functions at the proxy:
  $ rdsproxy-setup up --db my-instance

  Move one function first, after a test connection with its role and network:
  $ rdsproxy-setup up --db my-instance --function Billing --verify probe

  Move the functions in waves, and go back when they are worse off:
  $ rdsproxy-setup up --db my-instance --canary

  Let functions log in as a user of their own instead of the master user:
  $ rdsproxy-setup up --db my-instance --create-secret --db-user app

  In a pipeline, without a prompt:
  $ rdsproxy-setup up --db my-instance --yes --output json

  Save a plan, let it be reviewed, and carry out this plan and nothing else:
  $ rdsproxy-setup up --db my-instance --plan-out plan.json
  $ rdsproxy-setup up --plan plan.json";

/// `advise`.
pub(super) const ADVISE: &str = "\
Examples:
  Ask whether a proxy helps, from the last 14 days of metrics:
  $ rdsproxy-setup advise --db my-instance

  The same, with where every number comes from:
  $ rdsproxy-setup advise --db my-instance --explain

  Rank the databases of the Region by how much a proxy would help:
  $ rdsproxy-setup advise --all

  State what no metric says:
  $ rdsproxy-setup advise --db my-instance --concurrency Import=5 --hold 20ms";

/// `list`.
pub(super) const LIST: &str = "\
Examples:
  Show every proxy of the Region that this tool manages:
  $ rdsproxy-setup list

  The same for a script:
  $ rdsproxy-setup list --output json";

/// `wait`.
pub(super) const WAIT: &str = "\
Examples:
  Wait until the proxy reaches the database, for half an hour at most:
  $ rdsproxy-setup wait --db my-instance --for target --timeout 30m

  Wait until another pipeline has moved the functions:
  $ rdsproxy-setup wait --db my-instance --for functions";

/// `status`.
pub(super) const STATUS: &str = "\
Examples:
  List the proxies that this tool manages in the region:
  $ rdsproxy-setup status

  Show the thirteen steps for one database; exit with 3 on drift:
  $ rdsproxy-setup status --db my-instance --exit-code";

/// `teardown`.
pub(super) const TEARDOWN: &str = "\
Examples:
  Point the functions at the database again and delete the proxy:
  $ rdsproxy-setup teardown --db my-instance

  The same for a proxy with a name of its own, without a prompt:
  $ rdsproxy-setup teardown --name orders-proxy --yes

  Save a plan, and carry out this plan and nothing else:
  $ rdsproxy-setup teardown --db my-instance --plan-out plan.json
  $ rdsproxy-setup teardown --plan plan.json";

/// `restore`.
pub(super) const RESTORE: &str = "\
Examples:
  Point every function back at the database, at once; the proxy stays:
  $ rdsproxy-setup restore --db my-instance --yes

  Only one of them:
  $ rdsproxy-setup restore --db my-instance --function Billing

  Save a plan, and carry out this plan and nothing else:
  $ rdsproxy-setup restore --db my-instance --plan-out plan.json
  $ rdsproxy-setup restore --plan plan.json";

/// `close-direct`.
pub(super) const CLOSE_DIRECT: &str = "\
Examples:
  Show which rules would go and which stay, and why:
  $ rdsproxy-setup close-direct --db my-instance --dry-run

  Close the direct path; restore and teardown open it again first:
  $ rdsproxy-setup close-direct --db my-instance";

/// `rehearse`.
pub(super) const REHEARSE: &str = "\
Examples:
  Try up and teardown on a copy of the account, which is only read:
  $ rdsproxy-setup rehearse --db my-instance

  Attach the report to a change request:
  $ rdsproxy-setup rehearse --db my-instance --report rehearsal.md

  Keep the copy, for rdsproxy-setup --sandbox --sandbox-file copy.json up --db my-instance:
  $ rdsproxy-setup rehearse --db my-instance --save copy.json";

/// `export`.
pub(super) const EXPORT: &str = "\
Examples:
  Write a Terraform configuration that imports the stack:
  $ rdsproxy-setup export --db my-instance --to terraform --dir proxy

  Write CloudFormation templates, one of them for StackSets:
  $ rdsproxy-setup export --db my-instance --to cloudformation

  After the import, keep up and teardown from changing the stack:
  $ rdsproxy-setup export --db my-instance --hand-over";

/// `watch`.
pub(super) const WATCH: &str = "\
Examples:
  Watch the proxy and its functions; q quits:
  $ rdsproxy-setup watch --db my-instance

  Print one reading as JSON:
  $ rdsproxy-setup watch --db my-instance --once --output json

  Print a line a minute as JSON, for one function:
  $ rdsproxy-setup watch --db my-instance --function Billing --output json";

/// `doctor`.
pub(super) const DOCTOR: &str = "\
Examples:
  Find out why functions cannot connect:
  $ rdsproxy-setup doctor --db my-instance

  Look at one function, before there is a proxy:
  $ rdsproxy-setup doctor --db my-instance --function BillingFunction

  Read the proxy's log too: why sessions are pinned, and whose log-ins are refused:
  $ rdsproxy-setup doctor --db my-instance --logs";

/// `alarms`.
pub(super) const ALARMS: &str = "\
Examples:
  Show which alarms the proxy would get, and change nothing:
  $ rdsproxy-setup alarms --db my-instance --dry-run

  Create them, and a dashboard (--topic ARN notifies someone):
  $ rdsproxy-setup alarms --db my-instance --dashboard

  Change a threshold:
  $ rdsproxy-setup alarms --db my-instance --threshold pool=90

  Delete all of it:
  $ rdsproxy-setup alarms --db my-instance --remove

  Save a plan, and carry out this plan and nothing else:
  $ rdsproxy-setup alarms --db my-instance --dashboard --plan-out plan.json
  $ rdsproxy-setup alarms --plan plan.json";

/// `verify`.
pub(super) const VERIFY: &str = "\
Examples:
  Check roles, security groups and routes without connecting:
  $ rdsproxy-setup verify --db my-instance

  Connect from temporary functions, as far as SELECT 1:
  $ rdsproxy-setup verify --db my-instance --probe";

/// `token`.
pub(super) const TOKEN: &str = "\
Examples:
  Print an IAM token for the database user app:
  $ rdsproxy-setup token --db my-instance --db-user app";

/// `connect`.
pub(super) const CONNECT: &str = "\
Examples:
  Print the command line that logs in through the proxy:
  $ rdsproxy-setup connect --db my-instance --db-user app

  For a certain schema and client:
  $ rdsproxy-setup connect --db my-cluster --database orders --client psql";

/// `permissions`.
pub(super) const PERMISSIONS: &str = "\
Examples:
  Print the policy for everything:
  $ rdsproxy-setup permissions

  Print what up needs for one database in one account:
  $ rdsproxy-setup permissions --for up --db my-instance --account 123456789012

  Read the account, and print a policy for exactly what is in use there:
  $ rdsproxy-setup permissions --for up --db my-instance --discover

  Print a template of what an administrator creates once:
  $ rdsproxy-setup permissions --for administrator --as cloudformation";

/// `sandbox`.
pub(super) const SANDBOX: &str = "\
Examples:
  Print what the simulated account holds:
  $ rdsproxy-setup sandbox show

  Start over with the sample account:
  $ rdsproxy-setup sandbox reset";

/// `sandbox serve`.
pub(super) const SERVE: &str = "\
Examples:
  Serve the account on port 4600 of this machine:
  $ rdsproxy-setup sandbox serve --port 4600";

/// `sandbox reset`.
pub(super) const RESET: &str = "\
Examples:
  Delete everything and start with the sample account:
  $ rdsproxy-setup sandbox reset";

/// `sandbox load`.
pub(super) const LOAD: &str = "\
Examples:
  Invoke a function 20 times a second from now on:
  $ rdsproxy-setup sandbox load --function OrdersFunction --rate 20

  Let a mailing of 500,000 mails end an hour ago:
  $ rdsproxy-setup sandbox load --function OrdersFunction --preset mailing";

/// `sandbox show`.
pub(super) const SHOW: &str = "\
Examples:
  Print the account as JSON:
  $ rdsproxy-setup sandbox show";
