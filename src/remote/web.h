/* What a https:// url is when no hub answers there. */
#ifndef REMOTE_WEB_H
#define REMOTE_WEB_H

#include "remote/remote.h"

extern const struct remote_ops web_ops;

#endif
