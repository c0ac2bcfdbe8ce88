#include "trainer/kernels/rank/xgboost_api.h"

#include <dlfcn.h>
#include <string.h>

/* A function's address comes as a data pointer (POSIX has them of one size). */
static bool find(void *library, const char *symbol, void *out, struct err *err)
{
    void *at = dlsym(library, symbol);
    if (!at)
        return err_set(err, ERR_SYSTEM, "the library of XGBoost has no function %s", symbol);
    memcpy(out, &at, sizeof at);
    return true;
}

static bool load(struct xgboost_api *api, struct err *err)
{
    void *library = dlopen("libxgboost.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return err_set(err, ERR_SYSTEM, "cannot load XGBoost (Debian package libxgboost0): %s", dlerror());
#define XGBOOST_FIND(field, symbol)                \
    if (!find(library, #symbol, &api->field, err)) \
        return false;
    XGBOOST_FUNCTIONS(XGBOOST_FIND)
#undef XGBOOST_FIND
    return true;
}

const struct xgboost_api *xgboost_api(struct err *err)
{
    static struct xgboost_api api;
    static bool loaded;
    loaded = loaded || load(&api, err);
    return loaded ? &api : NULL;
}
