/* xgboost_api.h - XGBoost's C library, loaded when it is first asked for.
 *
 * It and what it needs (libstdc++, libgomp) would cost each worker some 5 ms at its start, and most workers never learn trees. So it is opened by name; from then on it
 * stays. The archive of Spark (spark/bundle.c) opens it, too, and so finds it among the libraries to pack. One thread. */
#pragma once
#include <xgboost/c_api.h>

#include "base/err.h"

/* The functions that we call, under their names without "XG". */
#define XGBOOST_FUNCTIONS(X)                        \
    X(BGetLastError, XGBGetLastError)               \
    X(BVersion, XGBoostVersion)                     \
    X(DMatrixCreateFromMat, XGDMatrixCreateFromMat) \
    X(DMatrixFree, XGDMatrixFree)                   \
    X(BoosterCreate, XGBoosterCreate)               \
    X(BoosterFree, XGBoosterFree)                   \
    X(BoosterSetParam, XGBoosterSetParam)           \
    X(BoosterBoostOneIter, XGBoosterBoostOneIter)   \
    X(BoosterPredict, XGBoosterPredict)             \
    X(BoosterSaveModelToBuffer, XGBoosterSaveModelToBuffer)

struct xgboost_api {
#define XGBOOST_FIELD(field, symbol) __typeof__(&symbol) field;
    XGBOOST_FUNCTIONS(XGBOOST_FIELD)
#undef XGBOOST_FIELD
};

/* NULL: the library is not there, or is not one that we know. It lives as long as the process. */
const struct xgboost_api *xgboost_api(struct err *err) MUSTCHECK;
