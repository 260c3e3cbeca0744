-- A small shop, with the rows of its first customers.
CREATE TABLE customers (
  id integer PRIMARY KEY,
  first text NOT NULL,
  last text NOT NULL,
  mail text
);

CREATE TABLE products (
  id integer PRIMARY KEY,
  title text NOT NULL,
  price text NOT NULL
);

CREATE TABLE orders (
  id integer PRIMARY KEY,
  customer integer NOT NULL,
  product integer NOT NULL REFERENCES products (id),
  quantity integer NOT NULL DEFAULT 1
);

CREATE INDEX orders_customer ON orders (customer);

CREATE TABLE coupons_2019 (
  code text PRIMARY KEY,
  percent integer NOT NULL
);

INSERT INTO customers VALUES
  (1, 'Ada', 'Lovelace', 'ada@example.com'),
  (2, 'Grace', 'Hopper', NULL),
  (3, 'Edsger', 'Dijkstra', 'edsger@example.com');
INSERT INTO products VALUES (1, 'Teapot', '24.50'), (2, 'Kettle', '39'), (3, 'Spoon', '1.25');
INSERT INTO orders VALUES (1, 1, 1, 1), (2, 1, 3, 6), (3, 2, 2, 1), (4, 3, 3, 2);
INSERT INTO coupons_2019 VALUES ('SPRING', 10), ('SUMMER', 15);
