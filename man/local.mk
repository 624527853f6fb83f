# mdoc pages, installed as they are
dist_man_MANS += man/aicertd.8
