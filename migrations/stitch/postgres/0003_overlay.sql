-- A video with a text over it is a product, too.
ALTER TABLE product DROP CONSTRAINT product_kind_check;
ALTER TABLE product ADD CONSTRAINT product_kind_check CHECK (kind IN ('cut', 'mix', 'overlay'));
