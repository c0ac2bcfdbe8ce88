/* handlers.h - /v1/models: the registry of models (docs/models.md). {name} is a model, {version} a number or "@alias". */
#pragma once
#include "experimentd/http/http.h"

/* registry_handlers.c */
void models_list(struct http_request *req, void *arg);
void models_get(struct http_request *req, void *arg);
void models_patch(struct http_request *req, void *arg);
void models_delete(struct http_request *req, void *arg);
void model_versions_list(struct http_request *req, void *arg);
void model_versions_get(struct http_request *req, void *arg);
void model_versions_patch(struct http_request *req, void *arg);
void model_versions_delete(struct http_request *req, void *arg);

/* alias_handlers.c */
void model_aliases_put(struct http_request *req, void *arg);
void model_aliases_delete(struct http_request *req, void *arg);
void model_aliases_rollback(struct http_request *req, void *arg);

/* artifact_handlers.c: what reads whole artifacts, in threads of its own (desk.h) */
void model_versions_upload(struct http_request *req, void *arg);
void model_versions_artifact(struct http_request *req, void *arg);
void model_versions_export(struct http_request *req, void *arg);
void models_compare(struct http_request *req, void *arg);
