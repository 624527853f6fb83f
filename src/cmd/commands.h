/* Every command, one a file. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "base/err.h"

int audit_command(int argc, char **argv, struct err *e);
int branch_command(int argc, char **argv, struct err *e);
int bundle_command(int argc, char **argv, struct err *e);
int cat_file_command(int argc, char **argv, struct err *e);
int checkout_command(int argc, char **argv, struct err *e);
int clone_command(int argc, char **argv, struct err *e);
int commit_command(int argc, char **argv, struct err *e);
int config_command(int argc, char **argv, struct err *e);
int event_log_command(int argc, char **argv, struct err *e);
int fetch_command(int argc, char **argv, struct err *e);
int fsck_command(int argc, char **argv, struct err *e);
int gc_command(int argc, char **argv, struct err *e);
int hardware_check_command(int argc, char **argv, struct err *e);
int hash_object_command(int argc, char **argv, struct err *e);
int image_command(int argc, char **argv, struct err *e);
int import_command(int argc, char **argv, struct err *e);
int init_command(int argc, char **argv, struct err *e);
int log_command(int argc, char **argv, struct err *e);
int ls_remote_command(int argc, char **argv, struct err *e);
int ls_tree_command(int argc, char **argv, struct err *e);
int pull_command(int argc, char **argv, struct err *e);
int push_command(int argc, char **argv, struct err *e);
int quote_check_command(int argc, char **argv, struct err *e);
int reference_command(int argc, char **argv, struct err *e);
int remote_command(int argc, char **argv, struct err *e);
int rev_parse_command(int argc, char **argv, struct err *e);
int run_command(int argc, char **argv, struct err *e);
int runner_command(int argc, char **argv, struct err *e);
int show_command(int argc, char **argv, struct err *e);
int status_command(int argc, char **argv, struct err *e);
int tag_command(int argc, char **argv, struct err *e);
int trace_command(int argc, char **argv, struct err *e);
int trust_command(int argc, char **argv, struct err *e);
int verify_command(int argc, char **argv, struct err *e);

#endif
