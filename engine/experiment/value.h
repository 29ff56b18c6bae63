/* One option's value: from text, to text. */
#ifndef BERTTY_EXPERIMENT_VALUE_H
#define BERTTY_EXPERIMENT_VALUE_H

#include <bertty/experiment.h>
#include <bertty/yaml.h>

/* Where a value stood, for messages: "file:3:7: optim.learning_rate". file NULL: just the key. */
struct bt__place {
    const char *file;
    unsigned line, column;
};

/* Sets option o from a YAML node. */
enum bt_status bt__value_from_yaml(struct bt_experiment *x, const struct bt_option *o,
                                   const struct bt_yaml *v, const char *file, struct bt_error *err);
void bt__list_free(struct bt_string_list *l);
/* As bt_experiment_resolve(), for what reads no model: one that is not there stays as it is written. */
enum bt_status bt__experiment_resolve_data(struct bt_experiment *x, struct bt_error *err);
enum bt_status bt__list_add(struct bt_string_list *l, const char *text, struct bt_error *err);
/* Adds copies of all that another one has. */
enum bt_status bt__list_append(struct bt_string_list *l, const struct bt_string_list *more,
                               struct bt_error *err);
bool bt__list_same(const struct bt_string_list *a, const struct bt_string_list *b);
/* The option that "group.name=value" sets; NULL: there is none of that name. *value, unless NULL: what stands behind the sign, borrowed. */
const struct bt_option *bt__setting_option(const char *setting, const char **value);

/* The field of an option. */
static inline void *bt__field(struct bt_experiment *x, const struct bt_option *o)
{
    return (char *)x + o->offset;
}

static inline const void *bt__const_field(const struct bt_experiment *x, const struct bt_option *o)
{
    return (const char *)x + o->offset;
}

/* A text as YAML: plain where that reads back the same, else in double quotes. */
void bt__yaml_text(struct bt_str *out, const char *text);

#endif
