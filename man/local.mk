# mdoc pages, installed as they are
